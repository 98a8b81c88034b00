#include "specs/python/dependency_scanner.h"

#include <algorithm>

#include <fmt/core.h>

#include "specs/python/python_text.h"
#include "specs/python/specifier_scan.h"

namespace imgbuild::specs {
namespace {

// Alternatives in the order in which they are tried. A "." stands for "." or "_".
constexpr std::string_view kVariables[] = {"python_version",
                                           "python_full_version",
                                           "os.name",
                                           "sys.platform",
                                           "platform_release",
                                           "platform_system",
                                           "platform.version",
                                           "platform.machine",
                                           "platform.python_implementation",
                                           "python_implementation",
                                           "implementation_name",
                                           "implementation_version",
                                           "extras",
                                           "extra",
                                           "dependency_groups"};

// Bytes of multi-byte characters count as letters: nearly all of them are.
bool IsWordByte(char c) {
  return IsAsciiAlnum(c) || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}

bool IsIdentifierByte(char c) { return IsAsciiAlnum(c) || c == '.' || c == '_' || c == '-'; }

bool MatchesVariable(std::string_view text, std::string_view pattern) {
  if (text.size() < pattern.size()) return false;
  return std::equal(pattern.begin(), pattern.end(), text.begin(),
                    [](char wanted, char c) { return c == wanted || (wanted == '.' && c == '_'); });
}

}  // namespace

bool DependencyScanner::TakeSpace() {
  std::size_t begin = position_;
  while (Looking(' ') || Looking('\t')) ++position_;
  return position_ > begin;
}

bool DependencyScanner::Take(char c) {
  if (!Looking(c)) return false;
  ++position_;
  return true;
}

std::string_view DependencyScanner::TakeIdentifier() {
  if (AtEnd() || !IsAsciiAlnum(text_[position_]) || !WordBoundary(position_)) return {};
  std::size_t end = position_;
  while (end < text_.size() && IsIdentifierByte(text_[end])) ++end;
  while (end > position_ && !WordBoundary(end)) --end;
  std::string_view identifier = text_.substr(position_, end - position_);
  position_ = end;
  return identifier;
}

bool DependencyScanner::LookingAtIdentifier() const {
  DependencyScanner ahead = *this;
  return !ahead.TakeIdentifier().empty();
}

bool DependencyScanner::TakeWord(std::string_view word) {
  if (!Rest().starts_with(word) || !WordBoundary(position_)) return false;
  if (!WordBoundary(position_ + word.size())) return false;
  position_ += word.size();
  return true;
}

std::string_view DependencyScanner::TakeOperator() {
  std::string_view op = ScanOperator(Rest());
  position_ += op.size();
  return op;
}

std::string_view DependencyScanner::TakeSpecifier() {
  std::string_view specifier = Rest().substr(0, ScanSpecifier(Rest()).value_or(0));
  position_ += specifier.size();
  return specifier;
}

std::string_view DependencyScanner::TakeUrl() {
  std::string_view url = Rest().substr(0, Rest().find_first_of(" \t"));
  position_ += url.size();
  return url;
}

std::string DependencyScanner::TakeVariable() {
  if (!WordBoundary(position_)) return "";
  for (std::string_view pattern : kVariables) {
    if (!MatchesVariable(Rest(), pattern) || !WordBoundary(position_ + pattern.size())) continue;
    position_ += pattern.size();
    std::string name(pattern);
    std::replace(name.begin(), name.end(), '.', '_');
    return name == "python_implementation" ? "platform_python_implementation" : name;
  }
  return "";
}

std::optional<std::string> DependencyScanner::TakeString() {
  if (!Looking('"') && !Looking('\'')) return std::nullopt;
  std::size_t end = text_.find(text_[position_], position_ + 1);
  if (end == std::string_view::npos) return std::nullopt;
  auto value = ResolvePythonEscapes(text_.substr(position_ + 1, end - position_ - 1));
  if (!value) throw SyntaxError{"a string that Python does not read", position_};
  position_ = end + 1;
  return value;
}

void DependencyScanner::Fail(std::string_view expected) const {
  std::string found = "the end";
  if (!AtEnd()) {
    std::size_t length = std::min<std::size_t>(20, Rest().size());
    // Not in the middle of a UTF-8 character.
    while (length < Rest().size() && (Rest()[length] & 0xC0) == 0x80) ++length;
    found = fmt::format("\"{}\"", Rest().substr(0, length));
  }
  throw SyntaxError{fmt::format("expected {}, found {}", expected, found), position_};
}

bool DependencyScanner::WordBoundary(std::size_t position) const {
  bool before = position > 0 && IsWordByte(text_[position - 1]);
  bool after = position < text_.size() && IsWordByte(text_[position]);
  return before != after;
}

}  // namespace imgbuild::specs
