#include "layers/tree/path.h"

namespace imgbuild::layers {
namespace {

bool IsCanonicalComponent(std::string_view part) {
  return !part.empty() && part.size() <= kMaxComponent && part != "." && part != "..";
}

}  // namespace

bool IsCanonicalPath(std::string_view path) {
  if (path.empty() || path.size() > kMaxPath) return false;
  if (path.find('\0') != std::string_view::npos) return false;
  for (;;) {
    std::size_t slash = path.find('/');
    if (!IsCanonicalComponent(path.substr(0, slash))) return false;
    if (slash == std::string_view::npos) return true;
    path.remove_prefix(slash + 1);
  }
}

std::optional<std::string> CanonicalPath(std::string_view path) {
  if (path.find('\0') != std::string_view::npos) return std::nullopt;
  std::string result;
  while (!path.empty()) {
    std::size_t slash = path.find('/');
    std::string_view part = path.substr(0, slash);
    path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
    if (part.empty() || part == ".") continue;
    if (!IsCanonicalComponent(part)) return std::nullopt;
    if (!result.empty()) result += '/';
    result += part;
  }
  if (result.size() > kMaxPath) return std::nullopt;
  return result;
}

std::string_view ParentPath(std::string_view path) {
  std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
}

}  // namespace imgbuild::layers
