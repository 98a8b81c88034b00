#include "builder/state/image_paths.h"

#include <fmt/format.h>

#include "specs/base/text.h"

namespace imgbuild::builder {
namespace {

constexpr int kMaxLinks = 40;  // as Linux: ELOOP

// The components of a path, last first, so that the next is at the back.
void PushComponents(std::string_view path, std::vector<std::string>& rest) {
  std::vector<std::string_view> parts = specs::Split(path, '/');
  for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
    if (!part->empty() && *part != ".") rest.emplace_back(*part);
  }
}

}  // namespace

std::optional<std::string> ImagePaths::LinkAt(const std::string& path) const {
  if (const layers::ContentFile* file = files_.Find(path)) {
    if (file->node.type == layers::NodeType::kSymlink) return file->node.target;
    return std::nullopt;
  }
  const layers::FileFacts* file = view_.File(path);
  if (file == nullptr || file->node.type != layers::NodeType::kSymlink) return std::nullopt;
  return file->node.target;
}

bool ImagePaths::Exists(const std::string& path) const {
  return files_.Find(path) != nullptr || view_.File(path) != nullptr;
}

std::optional<std::string> ImagePaths::Resolve(std::string_view absolute) const {
  std::vector<std::string> rest;
  PushComponents(absolute, rest);
  std::string path;
  int links = 0;
  while (!rest.empty()) {
    const std::string part = std::move(rest.back());
    rest.pop_back();
    if (part == "..") {
      const std::size_t slash = path.rfind('/');
      path.resize(slash == std::string::npos ? 0 : slash);
      continue;
    }
    const std::string next = path.empty() ? part : fmt::format("{}/{}", path, part);
    std::optional<std::string> target = LinkAt(next);
    if (!target) {
      path = next;
      continue;
    }
    if (++links > kMaxLinks) return std::nullopt;
    if (target->starts_with('/')) path.clear();
    PushComponents(*target, rest);
  }
  if (!Exists(path)) return std::nullopt;
  return path;
}

std::set<std::string> ImagePaths::Names(std::string_view folder) const {
  std::set<std::string> names;
  for (auto [name, file] : view_.Folder(folder)) names.emplace(name);
  const std::string prefix = fmt::format("{}/", folder);
  const layers::ContentTree& tree = files_.tree();
  for (auto file = tree.lower_bound(prefix); file != tree.end() && file->first.starts_with(prefix);
       ++file) {
    std::string name = file->first.substr(prefix.size());
    if (name.find('/') == std::string::npos) names.insert(std::move(name));
  }
  return names;
}

}  // namespace imgbuild::builder
