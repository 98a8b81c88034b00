#include "builder/assemble/font_cache.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include <fmt/core.h>

#include "builder/state/state.h"
#include "layers/tree/path.h"
#include "layers/unpack/font_list.h"

namespace imgbuild::builder {
namespace {

// matplotlib.font_manager: X11FontDirectories, and what is below a home.
constexpr auto kFontFolders = std::to_array<std::string_view>({
    "usr/share/fonts/",
    "usr/local/share/fonts/",
    "usr/share/texmf/fonts/",
    "usr/X11R6/lib/X11/fonts/",
    "usr/X11/lib/X11/fonts/",
    "usr/lib/openoffice/share/fonts/",
    "home/user/.fonts/",
    "home/user/.local/share/fonts/",
    "root/.fonts/",
    "root/.local/share/fonts/",
});

// Of those who may be the container's user. The group of both is 0, in the first for any uid.
struct Home {
  std::string_view path;
  std::uint32_t uid;
  std::uint32_t mode;  // of folders in it
};

constexpr auto kHomes = std::to_array<Home>({{kUserHome, kUserId, 0775}, {"/root", 0, 0755}});

bool IsSystemFont(std::string_view path) {
  return std::ranges::any_of(kFontFolders,
                             [&](std::string_view folder) { return path.starts_with(folder); }) &&
         std::ranges::any_of(std::to_array<std::string_view>({".ttf", ".otf", ".ttc", ".afm"}),
                             [&](std::string_view end) { return path.ends_with(end); });
}

bool HasFonts(const std::vector<layers::FileFacts>& files) {
  return std::ranges::any_of(files, IsSystemFont, &layers::FileFacts::path);
}

// "" where there is none.
std::string FindList(const std::vector<ReadyPackage>& packages) {
  const std::string inside = fmt::format("/{}/fontlist-v", layers::kMatplotlibData);
  for (const ReadyPackage& package : packages) {
    if (package.facts.kind != "wheel" || package.facts.name != "matplotlib") continue;
    for (const layers::FileFacts& file : package.facts.files) {
      if (file.path.find(inside) != std::string::npos) return file.path;
    }
  }
  return "";
}

// Whether there is something else where the home's folders are to be.
bool IsTaken(const Home& home, const layers::ContentTree& user, const layers::BaseImage* base) {
  const std::string path(home.path.substr(1));
  const std::array<std::string, 3> folders = {path, path + "/.cache", path + "/.cache/matplotlib"};
  const auto is_folder = [](const layers::Node& node) {
    return node.type == layers::NodeType::kDirectory;
  };
  return std::ranges::any_of(folders, [&](const std::string& folder) {
    const auto own = user.find(folder);
    if (own != user.end() && !is_folder(own->second.node)) return true;
    return base != nullptr && std::ranges::any_of(base->files.files, [&](const auto& file) {
             return file.path == folder && !is_folder(file.node);
           });
  });
}

void LinkBelow(const Home& home, const std::string& list, layers::ContentTree& files) {
  const std::string cache = fmt::format("{}/.cache", home.path.substr(1));
  const std::string folder = cache + "/matplotlib";
  files[cache] = layers::MakeDirectory(home.mode, home.uid, kUserGroup);
  files[folder] = layers::MakeDirectory(home.mode, home.uid, kUserGroup);
  layers::ContentFile link = layers::MakeSymlink("/" + list);
  link.node.uid = home.uid;
  link.node.gid = kUserGroup;
  files[fmt::format("{}/{}", folder, layers::BaseName(list))] = std::move(link);
}

}  // namespace

layers::ContentTree LinkFontList(const std::vector<ReadyPackage>& packages,
                                 const layers::ContentTree& user, const layers::BaseImage* base) {
  const std::string list = FindList(packages);
  if (list.empty() || (base != nullptr && HasFonts(base->files.files))) return {};
  if (std::ranges::any_of(
          packages, [](const ReadyPackage& package) { return HasFonts(package.facts.files); })) {
    return {};
  }
  if (std::ranges::any_of(user, [](const auto& file) { return IsSystemFont(file.first); }))
    return {};
  layers::ContentTree files;
  for (const Home& home : kHomes) {
    if (!IsTaken(home, user, base)) LinkBelow(home, list, files);
  }
  return files;
}

}  // namespace imgbuild::builder
