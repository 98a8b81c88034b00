#include "builder/assemble/cuda_view.h"

#include <map>
#include <optional>
#include <set>

#include <fmt/core.h>

#include "specs/base/text.h"

namespace imgbuild::builder {
namespace {

// A folder of the view while its parts are collected.
struct Folder {
  std::map<std::string, Folder> folders;
  std::map<std::string, std::string> files;  // name -> absolute path
  std::set<std::string> places;              // absolute paths of the folders it stands for
};

// Folders of a part of the toolkit, and their names in the view.
std::string_view ViewName(std::string_view folder) {
  if (folder == "lib" || folder == "lib64") return "lib64";
  if (folder == "bin" || folder == "include" || folder == "nvvm") return folder;
  return "";
}

bool IsPython(std::string_view name) { return name.ends_with(".py") || name == "__pycache__"; }

// "libcublas.so" of "libcublas.so.13.1"; nullopt of what is no shared library with a version.
std::optional<std::string> LinkerName(std::string_view name) {
  const std::size_t dot = name.find(".so.");
  if (!name.starts_with("lib") || dot == std::string_view::npos) return std::nullopt;
  return std::string(name.substr(0, dot + 3));
}

class Collector {
 public:
  explicit Collector(std::string_view site) : prefix_(fmt::format("{}/nvidia/", site)) {}

  void Add(std::string_view path) {
    if (!path.starts_with(prefix_)) return;
    const std::vector<std::string_view> parts = specs::Split(path.substr(prefix_.size()), '/');
    // PART/FOLDER/.../NAME
    if (parts.size() < 3 || ViewName(parts[1]).empty()) return;
    std::string place = fmt::format("/{}{}", prefix_, parts[0]);
    Folder* at = &top_;
    for (std::size_t i = 1; i + 1 < parts.size(); ++i) {
      if (IsPython(parts[i])) return;
      place += fmt::format("/{}", parts[i]);
      at = &at->folders[std::string(i == 1 ? ViewName(parts[1]) : parts[i])];
      at->places.insert(place);
    }
    if (IsPython(parts.back())) return;
    at->files.emplace(parts.back(), fmt::format("{}/{}", place, parts.back()));
    if (parts.size() == 3 && ViewName(parts[1]) == "lib64" &&
        parts.back().find(".so") != std::string_view::npos) {
      library_dirs_.insert(place);
    }
  }

  CudaView Finish() {
    CudaView view;
    view.library_dirs.assign(library_dirs_.begin(), library_dirs_.end());
    const auto libraries = top_.folders.find("lib64");
    if (libraries != top_.folders.end()) AddLinkerNames(libraries->second);
    if (!top_.folders.empty()) Emit(top_, std::string(kCudaHome.substr(1)), view.files);
    return view;
  }

 private:
  // Later names win, so that of several versions the last by name is linked with.
  static void AddLinkerNames(Folder& libraries) {
    std::map<std::string, std::string> names;
    for (const auto& [name, path] : libraries.files) {
      if (auto link = LinkerName(name)) names[*link] = path;
    }
    libraries.files.merge(names);
  }

  static void Emit(const Folder& folder, const std::string& path, layers::ContentTree& files) {
    files[path] = layers::MakeDirectory();
    for (const auto& [name, inner] : folder.folders) {
      const std::string inner_path = fmt::format("{}/{}", path, name);
      if (path != kCudaHome.substr(1) && inner.places.size() == 1) {
        files[inner_path] = layers::MakeSymlink(*inner.places.begin());
      } else {
        Emit(inner, inner_path, files);
      }
    }
    for (const auto& [name, target] : folder.files) {
      files.emplace(fmt::format("{}/{}", path, name), layers::MakeSymlink(target));
    }
  }

  const std::string prefix_;
  Folder top_;
  std::set<std::string> library_dirs_;
};

}  // namespace

CudaView MakeCudaView(std::span<const layers::PackageFacts* const> wheels, std::string_view site) {
  Collector collector(site);
  for (const layers::PackageFacts* wheel : wheels) {
    for (const layers::FileFacts& file : wheel->files) {
      if (file.node.type != layers::NodeType::kDirectory) collector.Add(file.path);
    }
  }
  return collector.Finish();
}

}  // namespace imgbuild::builder
