#include "specs/python/specifier_scan.h"

#include "specs/python/python_text.h"
#include "specs/python/version_scan.h"

namespace imgbuild::specs {
namespace {

std::size_t SpaceRun(std::string_view text) {
  std::size_t length = 0;
  while (std::size_t space = PythonSpaceLength(text.substr(length))) length += space;
  return length;
}

// Whatever stands there up to white space, ";" or ")".
std::size_t ArbitraryRun(std::string_view text) {
  std::size_t length = 0;
  while (length < text.size() && text[length] != ';' && text[length] != ')' &&
         PythonSpaceLength(text.substr(length)) == 0) {
    ++length;
  }
  return length;
}

}  // namespace

std::string_view ScanOperator(std::string_view text) {
  for (std::string_view op : {"===", "==", "~=", "!=", "<=", ">=", "<", ">"}) {
    if (text.starts_with(op)) return text.substr(0, op.size());
  }
  return {};
}

std::optional<std::size_t> ScanSpecifier(std::string_view text) {
  std::string_view op = ScanOperator(text);
  if (op.empty()) return std::nullopt;
  std::size_t begin = op.size() + SpaceRun(text.substr(op.size()));
  std::string_view version = text.substr(begin);
  if (op == "===") return begin + ArbitraryRun(version);
  bool equality = op == "==" || op == "!=";
  if (equality) {
    auto release = ScanVersion(version, VersionTail::kReleaseOnly);
    if (release && version.substr(release->length).starts_with(".*")) {
      return begin + release->length + 2;
    }
  }
  auto scan = ScanVersion(version, equality ? VersionTail::kAll : VersionTail::kPublic);
  if (!scan) return std::nullopt;
  if (op == "~=" && scan->release.find('.') == std::string_view::npos) return std::nullopt;
  return begin + scan->length;
}

}  // namespace imgbuild::specs
