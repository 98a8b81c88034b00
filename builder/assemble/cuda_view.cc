#include "builder/assemble/cuda_view.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <vector>

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

// Of a folder in the view: its name, and an absolute folder that it stands for.
struct Step {
  std::string name;
  std::string place;
};

class Collector {
 public:
  // A file of the last folder; each lies in the one before it, the first in the view's top.
  void Add(const std::vector<Step>& folders, std::string_view name) {
    Folder* at = &top_;
    for (const Step& step : folders) {
      at = &at->folders[step.name];
      at->places.insert(step.place);
    }
    const std::string& place = folders.back().place;
    at->files.emplace(name, fmt::format("{}/{}", place, name));
    if (folders.size() == 1 && folders[0].name == "lib64" &&
        name.find(".so") != std::string_view::npos) {
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

  Folder top_;
  std::set<std::string> library_dirs_;
};

void AddSteps(std::string place, std::span<const std::string_view> names,
              std::vector<Step>& folders) {
  for (std::string_view name : names) {
    place += fmt::format("/{}", name);
    folders.push_back({std::string(name), place});
  }
}

// PREFIX PART/FOLDER/.../NAME
void AddWheelFile(std::string_view path, std::string_view prefix, Collector& collector) {
  if (!path.starts_with(prefix)) return;
  const std::vector<std::string_view> parts = specs::Split(path.substr(prefix.size()), '/');
  if (parts.size() < 3 || ViewName(parts[1]).empty()) return;
  if (std::any_of(parts.begin() + 1, parts.end(), IsPython)) return;
  std::vector<Step> folders;
  AddSteps(fmt::format("/{}{}", prefix, parts[0]), std::span(parts).subspan(1, parts.size() - 2),
           folders);
  folders.front().name = ViewName(parts[1]);
  collector.Add(folders, parts.back());
}

// Where Debian has what in the toolkit of others is one tree.
struct DebianPlace {
  std::string_view folder;
  std::string_view top;     // in the view
  std::string_view within;  // a folder of it, "" for itself
};
constexpr std::array kDebianPlaces = {
    DebianPlace{"usr/bin", "bin", ""},
    DebianPlace{"usr/include", "include", ""},
    DebianPlace{"usr/lib/x86_64-linux-gnu", "lib64", ""},
    DebianPlace{"usr/lib/nvidia-cuda-toolkit/libdevice", "nvvm", "libdevice"},
    DebianPlace{"usr/lib/nvidia-cuda-toolkit/bin", "nvvm", "bin"},
};

bool IsLibrary(std::string_view name) {
  return name.find(".so") != std::string_view::npos || name.ends_with(".a");
}

void AddDebianFile(std::string_view path, Collector& collector) {
  for (const DebianPlace& from : kDebianPlaces) {
    if (!path.starts_with(from.folder) || !path.substr(from.folder.size()).starts_with('/'))
      continue;
    const std::string place = fmt::format("/{}", from.folder);
    std::vector<std::string_view> parts = specs::Split(path.substr(from.folder.size() + 1), '/');
    if (from.top == "lib64" && !IsLibrary(parts.back())) return;
    std::vector<Step> folders = {{std::string(from.top), place}};
    if (!from.within.empty()) folders.push_back({std::string(from.within), place});
    AddSteps(place, std::span(parts).first(parts.size() - 1), folders);
    return collector.Add(folders, parts.back());
  }
}

bool IsDebianCuda(const layers::PackageFacts& deb) {
  // Parts of it that Debian has as packages of their own.
  static constexpr std::array<std::string_view, 3> kBeside = {"libcu++-dev", "libcub-dev",
                                                              "libthrust-dev"};
  if (std::ranges::find(kBeside, deb.name) != kBeside.end()) return true;
  const auto control = deb.control.find("control");
  return control != deb.control.end() &&
         control->second.find("\nSource: nvidia-cuda-toolkit") != std::string::npos;
}

}  // namespace

CudaView MakeCudaView(std::span<const layers::PackageFacts* const> wheels, std::string_view site) {
  const std::string prefix = fmt::format("{}/nvidia/", site);
  Collector collector;
  for (const layers::PackageFacts* wheel : wheels) {
    for (const layers::FileFacts& file : wheel->files) {
      if (file.node.type == layers::NodeType::kDirectory) continue;
      AddWheelFile(file.path, prefix, collector);
    }
  }
  return collector.Finish();
}

CudaView MakeDebianCudaView(std::span<const layers::PackageFacts* const> debs) {
  Collector collector;
  for (const layers::PackageFacts* deb : debs) {
    if (!IsDebianCuda(*deb)) continue;
    for (const layers::FileFacts& file : deb->files) {
      if (file.node.type != layers::NodeType::kDirectory) AddDebianFile(file.path, collector);
    }
  }
  CudaView view = collector.Finish();
  view.library_dirs.clear();
  return view;
}

}  // namespace imgbuild::builder
