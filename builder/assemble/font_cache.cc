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

constexpr std::uint32_t kUser = 1000;
constexpr std::uint32_t kGroup = 0;

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
});

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
  const std::string cache = fmt::format("{}/.cache", kUserHome.substr(1));
  files[cache] = layers::MakeDirectory(0775, kUser, kGroup);
  files[cache + "/matplotlib"] = layers::MakeDirectory(0775, kUser, kGroup);
  layers::ContentFile link = layers::MakeSymlink("/" + list);
  link.node.uid = kUser;
  link.node.gid = kGroup;
  files[fmt::format("{}/matplotlib/{}", cache, list.substr(list.rfind('/') + 1))] = std::move(link);
  return files;
}

}  // namespace imgbuild::builder
