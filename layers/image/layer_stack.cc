#include "layers/image/layer_stack.h"

#include <map>
#include <optional>
#include <string>
#include <utility>

#include <fmt/core.h>

#include "layers/tree/path.h"
#include "specs/base/error.h"

namespace imgbuild::layers {
namespace {

constexpr std::string_view kWhiteout = ".wh.";
constexpr std::string_view kOpaque = ".wh..wh..opq";

std::string Below(std::string_view folder, std::string_view name) {
  return folder.empty() ? std::string(name) : fmt::format("{}/{}", folder, name);
}

class Stack {
 public:
  void Add(const PackageFacts& layer) {
    // Whiteouts hide what is below, wherever they stand in the layer.
    for (const FileFacts& file : layer.files) {
      const std::string_view name = BaseName(file.path);
      if (!name.starts_with(kWhiteout)) continue;
      const std::string folder = Place(ParentPath(file.path));
      if (name == kOpaque) {
        EraseBelow(folder);
      } else {
        Erase(Below(folder, name.substr(kWhiteout.size())));
      }
    }
    std::map<std::string_view, std::string> places;  // of this layer's paths
    for (const FileFacts& file : layer.files) {
      if (!BaseName(file.path).starts_with(kWhiteout)) places[file.path] = Put(file);
    }
    for (const auto& [path, content] : layer.contents) {
      const auto place = places.find(path);
      if (place != places.end()) contents_[place->second] = content;
    }
    for (const auto& [mark, value] : layer.control) {
      const std::size_t space = mark.find(' ') + 1;
      const auto place = places.find(std::string_view(mark).substr(space));
      if (place != places.end()) marks_[place->second] = {mark.substr(0, space), value};
    }
  }

  PackageFacts Take() {
    PackageFacts facts;
    facts.kind = "base";
    facts.name = "base image";
    for (auto& [path, file] : files_) facts.files.push_back(std::move(file));
    facts.contents = std::move(contents_);
    for (auto& [path, mark] : marks_) facts.control[mark.first + path] = mark.second;
    return facts;
  }

 private:
  // A folder's path without links.
  std::string Place(std::string_view folder) const {
    const auto link_at = [this](const std::string& path) -> std::optional<std::string> {
      const auto found = files_.find(path);
      if (found == files_.end() || found->second.node.type != NodeType::kSymlink) {
        return std::nullopt;
      }
      return found->second.node.target;
    };
    auto place = ResolvePath(folder, link_at);
    if (place) return *std::move(place);
    throw specs::Error(fmt::format("/{} in the image is a link that goes round", folder));
  }

  std::string Put(const FileFacts& file) {
    std::string path = Below(Place(ParentPath(file.path)), BaseName(file.path));
    const auto found = files_.find(path);
    const bool stays = file.node.type == NodeType::kDirectory &&
                       (found == files_.end() || found->second.node.type == NodeType::kDirectory);
    if (!stays) Erase(path);  // archives need not name the folder of a file
    FileFacts placed = file;
    placed.path = path;
    files_[path] = std::move(placed);
    return path;
  }

  void Erase(const std::string& path) {
    files_.erase(path);
    contents_.erase(path);
    marks_.erase(path);
    EraseBelow(path);
  }

  void EraseBelow(const std::string& folder) {
    EraseBelow(folder, files_);
    EraseBelow(folder, contents_);
    EraseBelow(folder, marks_);
  }

  template <typename Value>
  static void EraseBelow(const std::string& folder, std::map<std::string, Value>& map) {
    if (folder.empty()) return map.clear();
    // '0' follows '/'.
    map.erase(map.lower_bound(folder + '/'), map.lower_bound(folder + '0'));
  }

  std::map<std::string, FileFacts> files_;
  std::map<std::string, std::string> contents_;
  std::map<std::string, std::pair<std::string, std::string>> marks_;  // path -> mark, version
};

}  // namespace

PackageFacts StackLayers(const std::vector<const PackageFacts*>& layers) {
  Stack stack;
  for (const PackageFacts* layer : layers) stack.Add(*layer);
  return stack.Take();
}

}  // namespace imgbuild::layers
