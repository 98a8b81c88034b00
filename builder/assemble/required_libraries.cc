#include "builder/assemble/required_libraries.h"

#include <cstddef>
#include <set>

#include <fmt/core.h>

#include "layers/io/file.h"
#include "layers/unpack/library_watcher.h"
#include "layers/unpack/needed.h"
#include "specs/base/error.h"
#include "specs/base/text.h"

namespace imgbuild::builder {
namespace {

using Names = std::vector<std::string>;

// "" for what no linker would look for.
std::string LibraryName(std::string_view path) {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  return name.find(".so") == std::string_view::npos ? "" : std::string(name);
}

// By their names: what is in the files of a base is not read.
void AddLibraries(const layers::BaseImage& base, Names& names) {
  for (const layers::FileFacts& file : base.files.files) {
    if (std::string name = LibraryName(file.path); !name.empty()) names.push_back(std::move(name));
  }
}

std::string SonameOf(const layers::ContentFile& file) {
  layers::LibraryWatcher watcher(file.node.size);
  if (file.disk_path.empty()) {
    watcher.Watch(file.content);
  } else {
    layers::FileSource disk(file.disk_path);  // not mapped: the user may truncate it meanwhile
    std::vector<std::byte> buffer(256u << 10);
    while (const std::size_t count = disk.Read(buffer)) {
      watcher.Watch({reinterpret_cast<const char*>(buffer.data()), count});
    }
  }
  const auto facts = watcher.Finish();
  return facts && facts->elf ? facts->elf->soname : "";
}

void AddLibraries(const layers::ContentTree& user, Names& names) {
  for (const auto& [path, file] : user) {
    if (file.node.type == layers::NodeType::kDirectory) continue;
    std::string name = LibraryName(path);
    if (name.empty()) continue;
    names.push_back(std::move(name));
    if (file.node.type != layers::NodeType::kFile) continue;
    if (std::string soname = SonameOf(file); !soname.empty()) names.push_back(std::move(soname));
  }
}

[[noreturn]] void Refuse(const std::vector<layers::MissingLibrary>& missing, bool on_base) {
  std::string text = "shared libraries are missing in the image:";
  std::set<std::string> packages;
  std::set<std::string> sonames;
  for (const layers::MissingLibrary& library : missing) {
    text += fmt::format("\n    {} needs {} (in {})", library.package, library.soname, library.file);
    sonames.insert("\"" + library.soname + "\"");
    if (!library.suggestion.empty()) packages.insert("\"" + library.suggestion + "\"");
  }
  const auto list = [](const std::set<std::string>& names) {
    return specs::Join({names.begin(), names.end()}, ", ");
  };
  std::string hint;
  if (on_base) {
    hint = "the base image or [[files]] have to bring them";
    if (!packages.empty()) hint += "; Debian's packages are " + list(packages);
  } else if (packages.empty()) {
    hint = "add the Debian packages that have them to system.packages";
  } else {
    hint = "add to system.packages: " + list(packages);
  }
  throw specs::Error(text).Hint(fmt::format(
      "{}; where nothing loads them: image.allow-missing-libraries = [{}]", hint, list(sonames)));
}

}  // namespace

void RequireLibraries(const std::vector<ReadyPackage>& packages, const OtherLibraries& others) {
  std::vector<const layers::PackageFacts*> facts;
  for (const ReadyPackage& package : packages) facts.push_back(&package.facts);
  if (layers::CheckNeeded(facts, {.provided = others.allowed}).empty()) return;
  Names provided = others.allowed;
  if (others.base != nullptr) AddLibraries(*others.base, provided);
  AddLibraries(others.user, provided);
  const auto missing = layers::CheckNeeded(facts, {.provided = std::move(provided)});
  if (!missing.empty()) Refuse(missing, others.base != nullptr);
}

}  // namespace imgbuild::builder
