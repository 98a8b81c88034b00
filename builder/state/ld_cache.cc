#include "builder/state/ld_cache.h"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "builder/state/image_paths.h"
#include "builder/state/ld_cache_format.h"
#include "specs/base/text.h"

namespace imgbuild::builder {
namespace {

constexpr std::string_view kConfFolder = "etc/ld.so.conf.d";

// dl-cache.h: FLAG_ELF_LIBC6 with FLAG_X8664_LIB64 or FLAG_AARCH64_LIB64; none for i386.
std::optional<std::uint32_t> FlagsOf(const layers::ElfFacts& elf, specs::Architecture machine) {
  if (!elf.shared_object && elf.soname.empty()) return std::nullopt;
  if (machine == specs::Architecture::kAmd64) {
    if (elf.machine == 62) return 0x0303;
    if (elf.machine == 3) return 0x0003;
  }
  if (machine == specs::Architecture::kArm64 && elf.machine == 183) return 0x0a03;
  return std::nullopt;
}

bool LibraryName(std::string_view name) {
  const bool linker = name == "ld.so" || name == "ld64.so";
  const bool named = name.starts_with("lib") || name.starts_with("ld-");
  return linker || (named && name.find(".so") != std::string_view::npos);
}

struct Library {
  std::string name;  // of the file or link in its folder
  bool link = false;
  std::uint32_t flags = 0;
};

// Whether a symbolic link stands for its soname, or for the development link of it, and is not a
// library of its own.
bool LinkOfSoname(std::string_view name, std::string_view soname) {
  return name == soname || (name.ends_with(".so") && soname.starts_with(name));
}

class Scanner {
 public:
  Scanner(const StateInput& input, const PackageView& view, StateFiles& files)
      : input_(input), view_(view), files_(files), paths_(view, files) {}

  // An absolute folder as the configuration names it; a second name of the same one is passed over.
  void AddFolder(const std::string& written) {
    const std::optional<std::string> folder = paths_.Resolve(written);
    if (!folder || !seen_.insert(*folder).second) return;
    const std::string hwcaps = *folder + "/glibc-hwcaps";
    Scan(*folder, written, "");
    for (auto [name, file] : view_.Folder(hwcaps)) {
      if (file->node.type != layers::NodeType::kDirectory) continue;
      cache_.hwcaps.emplace_back(name);
      Scan(fmt::format("{}/{}", hwcaps, name), fmt::format("{}/glibc-hwcaps/{}", written, name),
           std::string(name));
    }
  }

  LdCache Take() { return std::move(cache_); }

 private:
  void Scan(const std::string& folder, const std::string& written, const std::string& hwcaps) {
    std::map<std::string, Library> libraries;  // by soname
    for (const std::string& name : paths_.Names(folder)) Consider(folder, name, libraries);
    for (const auto& [soname, library] : libraries) {
      if (hwcaps.empty() && !library.link && library.name != soname) {
        const std::string link = fmt::format("{}/{}", folder, soname);
        if (view_.File(link) == nullptr && files_.Find(link) == nullptr) {
          files_.AddLink(link, library.name);
        }
      }
      const std::string& name = hwcaps.empty() ? soname : library.name;
      cache_.entries.push_back(
          {soname, fmt::format("{}/{}", written, name), library.flags, hwcaps});
    }
  }

  void Consider(const std::string& folder, const std::string& name,
                std::map<std::string, Library>& libraries) {
    if (!LibraryName(name)) return;
    const std::string path = fmt::format("{}/{}", folder, name);
    const std::optional<std::string> target = paths_.Resolve("/" + path);
    const layers::FileFacts* file = target ? view_.File(*target) : nullptr;
    if (file == nullptr || !file->elf) return;
    const std::optional<std::uint32_t> flags = FlagsOf(*file->elf, input_.architecture);
    if (!flags) return;
    const std::string soname = file->elf->soname.empty() ? name : file->elf->soname;
    const bool link = *target != path && LinkOfSoname(name, soname);
    auto [place, added] = libraries.try_emplace(soname, Library{name, link, *flags});
    Library& known = place->second;
    if (added) return;
    if ((!link && known.link) || (link == known.link && CompareLibraries(known.name, name) < 0)) {
      known = {name, link, *flags};
    }
  }

  const StateInput& input_;
  const PackageView& view_;
  StateFiles& files_;
  ImagePaths paths_;
  std::set<std::string> seen_;
  LdCache cache_;
};

// etc/ld.so.conf with the files it includes, in the order of their names.
std::vector<std::string> ConfiguredFolders(const PackageView& view, const StateFiles& files) {
  std::map<std::string, std::string> texts;
  for (auto [name, file] : view.Folder(kConfFolder)) {
    if (name.ends_with(".conf")) texts[std::string(name)] = view.Content(file->path).value_or("");
  }
  if (const layers::ContentFile* own = files.Find(kLinkerConf)) {
    texts[std::string(kLinkerConf.substr(kConfFolder.size() + 1))] = own->content;
  }
  std::vector<std::string> folders;
  for (const auto& [name, text] : texts) {
    for (std::string_view line : specs::Split(text, '\n')) {
      line = specs::Trim(line.substr(0, line.find('#')));
      while (line.size() > 1 && line.ends_with('/')) line.remove_suffix(1);
      if (line.starts_with('/')) folders.emplace_back(line);
    }
  }
  return folders;
}

}  // namespace

void AddLdCache(const StateInput& input, const PackageView& view, StateFiles& files) {
  const layers::PackageFacts* libc = view.Find("libc-bin");
  if (libc == nullptr) return;
  if (!input.library_dirs.empty()) {
    files.AddFile(kLinkerConf, specs::Join(input.library_dirs, "\n") + "\n");
  }
  Scanner scanner(input, view, files);
  for (const std::string& folder : ConfiguredFolders(view, files)) scanner.AddFolder(folder);
  scanner.AddFolder("/lib");
  scanner.AddFolder("/usr/lib");
  LdCache cache = scanner.Take();
  cache.generator = fmt::format("ldconfig (Debian GLIBC {}) stable release version {}",
                                libc->version, libc->version.substr(0, libc->version.find('-')));
  files.AddFile(kLinkerCache, RenderLdCache(cache));
}

}  // namespace imgbuild::builder
