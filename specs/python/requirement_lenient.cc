#include <string>
#include <string_view>

#include "specs/python/python_text.h"
#include "specs/python/requirement.h"

namespace imgbuild::specs {
namespace {

constexpr std::string_view kOperatorBytes = "<>=!~";
constexpr std::string_view kBetween = " \t,()'\"";

std::string FixClause(std::string op, std::string version) {
  if (op == "!=~") {
    op = "!=";
    if (!version.ends_with(".*")) version += ".*";
  }
  if (version.ends_with('*') && !version.ends_with(".*")) version.insert(version.size() - 1, ".");
  if (version.ends_with(".*") && op != "==" && op != "!=") version.resize(version.size() - 2);
  if (op == "~=" && version.find('.') == std::string::npos) op = ">=";
  if (version == "dev") version = "0.dev0";
  return op + version;
}

// The clauses of `text` with commas between them, each in its legal form; `text` itself where it
// holds anything but clauses.
std::string FixSpecifiers(std::string_view text) {
  std::string fixed;
  std::string_view rest = text;
  for (;;) {
    rest.remove_prefix(std::min(rest.find_first_not_of(kBetween), rest.size()));
    if (rest.empty()) return fixed;
    std::size_t op_length = std::min(rest.find_first_not_of(kOperatorBytes), rest.size());
    if (op_length == 0) return std::string(text);
    std::string op(rest.substr(0, op_length));
    rest.remove_prefix(op_length);
    rest.remove_prefix(std::min(rest.find_first_not_of(" \t'\""), rest.size()));
    std::size_t length = std::min(
        rest.find_first_of(std::string(kBetween) + std::string(kOperatorBytes)), rest.size());
    if (length == 0) return std::string(text);
    if (!fixed.empty()) fixed += ',';
    fixed += FixClause(std::move(op), std::string(rest.substr(0, length)));
    rest.remove_prefix(length);
  }
}

}  // namespace

std::variant<Requirement, SyntaxError> Requirement::ParseLenient(std::string_view text) {
  auto strict = Parse(text);
  if (std::holds_alternative<Requirement>(strict)) return strict;
  std::string_view head = text.substr(0, text.find(';'));
  std::string_view marker = text.substr(head.size());
  std::size_t versions = head.find_first_of("(<>=!~");
  if (versions == std::string_view::npos || head.find('@') != std::string_view::npos) return strict;
  std::string fixed(head.substr(0, versions));
  fixed += FixSpecifiers(head.substr(versions));
  fixed += marker;
  auto lenient = Parse(fixed);
  // The position in the text that was given, not in the repaired one.
  return std::holds_alternative<Requirement>(lenient) ? lenient : strict;
}

std::variant<SpecifierSet, SyntaxError> ParseSpecifierLenient(std::string_view text) {
  auto strict = SpecifierSet::Parse(text);
  if (std::holds_alternative<SpecifierSet>(strict)) return strict;
  auto lenient = SpecifierSet::Parse(FixSpecifiers(text));
  return std::holds_alternative<SpecifierSet>(lenient) ? lenient : strict;
}

}  // namespace imgbuild::specs
