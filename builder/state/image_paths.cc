#include "builder/state/image_paths.h"

#include <fmt/format.h>

#include "layers/tree/path.h"

namespace imgbuild::builder {

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
  std::optional<std::string> path =
      layers::ResolvePath(absolute, [this](const std::string& at) { return LinkAt(at); });
  if (path && !Exists(*path)) return std::nullopt;
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
