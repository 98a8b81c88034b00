#include "layers/tree/path.h"

#include <vector>

namespace imgbuild::layers {
namespace {

bool IsCanonicalComponent(std::string_view part) {
  return !part.empty() && part.size() <= kMaxComponent && part != "." && part != "..";
}

constexpr int kMaxLinks = 40;  // as Linux: ELOOP

// The components of a path, last first, so that the next is at the back.
void PushComponents(std::string_view path, std::vector<std::string>& rest) {
  for (;;) {
    const std::size_t slash = path.rfind('/');
    const std::string_view part = slash == std::string_view::npos ? path : path.substr(slash + 1);
    if (!part.empty() && part != ".") rest.emplace_back(part);
    if (slash == std::string_view::npos) return;
    path = path.substr(0, slash);
  }
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

std::string_view BaseName(std::string_view path) { return path.substr(path.rfind('/') + 1); }

std::optional<std::string> ResolvePath(std::string_view path, const LinkAt& link_at) {
  std::vector<std::string> rest;
  PushComponents(path, rest);
  std::string resolved;
  int links = 0;
  while (!rest.empty()) {
    const std::string part = std::move(rest.back());
    rest.pop_back();
    if (part == "..") {
      resolved = ParentPath(resolved);
      continue;
    }
    std::string next = resolved.empty() ? part : resolved + '/' + part;
    const std::optional<std::string> target = link_at(next);
    if (!target) {
      resolved = std::move(next);
      continue;
    }
    if (++links > kMaxLinks) return std::nullopt;
    if (target->starts_with('/')) resolved.clear();
    PushComponents(*target, rest);
  }
  return resolved;
}

}  // namespace imgbuild::layers
