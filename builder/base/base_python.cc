#include "builder/base/base_python.h"

#include <algorithm>
#include <optional>
#include <set>
#include <vector>

#include <fmt/format.h>

#include "layers/image/layer_listing.h"
#include "layers/tree/path.h"
#include "specs/base/error.h"
#include "specs/base/text.h"

namespace imgbuild::builder {
namespace {

using layers::BaseImage;
using specs::Error;
using specs::ErrorKind;

// What was found in the program at this path, through links.
std::optional<std::string> Mark(const BaseImage& base, std::string_view mark,
                                std::string_view path) {
  const std::optional<std::string> place = base.Resolve(path);
  if (!place) return std::nullopt;
  const auto found = base.files.control.find(std::string(mark) + *place);
  return found == base.files.control.end() ? std::nullopt : std::optional(found->second);
}

// Of an interpreter, whose version may stand in its shared library.
std::optional<std::string> VersionOf(const BaseImage& base, const std::string& path,
                                     std::string_view minor) {
  if (auto version = Mark(base, layers::kPythonMark, path)) return version;
  const std::string prefix(layers::ParentPath(layers::ParentPath(path)));
  for (const char* folder : {"lib", "lib64"}) {
    const std::string library = fmt::format("{}/{}/libpython{}.so.1.0", prefix, folder, minor);
    if (auto version = Mark(base, layers::kPythonMark, library)) return version;
  }
  return std::nullopt;
}

std::vector<std::string> Folders(const BaseImage& base) {
  std::vector<std::string> folders;
  const std::string path = BasePath(base);
  for (std::string_view folder : specs::Split(path, ':')) {
    if (folder.starts_with('/')) folders.emplace_back(folder);
  }
  return folders;
}

// "3.9", "3.12": all that have an interpreter, on PATH or not.
std::set<std::string> Pythons(const BaseImage& base) {
  std::set<std::string> pythons;
  for (const layers::FileFacts& file : base.files.files) {
    std::string_view name = std::string_view(file.path).substr(file.path.rfind('/') + 1);
    if (!file.path.ends_with(fmt::format("bin/{}", name)) || !name.starts_with("python3."))
      continue;
    name.remove_prefix(6);
    if (specs::ParseUnsigned(name.substr(2))) pythons.emplace(name);
  }
  return pythons;
}

[[noreturn]] void NoPython(const BaseImage& base, std::string_view version) {
  const std::set<std::string> there = Pythons(base);
  Error error(ErrorKind::kUsage, fmt::format("the base image has no Python {}", version));
  if (there.empty()) {
    const std::string system = BaseSystemName(base);
    throw std::move(error)
        .Found(system.empty() ? "none at all" : fmt::format("none at all, in {}", system))
        .Expected(
            fmt::format("python{} in one of the folders of its PATH: {}", version, BasePath(base)))
        .Hint("build on an image that has Python; or leave out system.image");
  }
  throw std::move(error)
      .Found(fmt::format("Python {}", fmt::join(there, ", ")))
      .Hint(fmt::format("write version = \"{}\" under [python]", *there.rbegin()));
}

// "2.36" of whichever C library lies in a folder of libraries.
std::optional<std::string> Glibc(const BaseImage& base) {
  for (const auto& [mark, version] : base.files.control) {
    if (mark.starts_with(layers::kGlibcMark) && mark.find("lib") != std::string::npos) {
      return version;
    }
  }
  return std::nullopt;
}

void TakeGlibc(const BaseImage& base, BasePython& python) {
  const std::optional<std::string> glibc = Glibc(base);
  const std::size_t dot = glibc ? glibc->find('.') : std::string::npos;
  if (dot == std::string::npos) {
    const bool musl = std::ranges::any_of(base.files.files, [](const layers::FileFacts& file) {
      return file.path.starts_with("lib/ld-musl-");
    });
    throw Error(ErrorKind::kUsage, "the base image cannot run wheels")
        .Found(musl ? "musl as its C library" : "no C library that is known")
        .Expected("the GNU C library, as Debian, Ubuntu and Fedora have it");
  }
  const auto major = specs::ParseUnsigned(std::string_view(*glibc).substr(0, dot));
  const auto minor = specs::ParseUnsigned(std::string_view(*glibc).substr(dot + 1));
  python.glibc_major = static_cast<int>(std::min<std::uint64_t>(major.value_or(2), 100));
  python.glibc_minor = static_cast<int>(std::min<std::uint64_t>(minor.value_or(0), 1000));
}

}  // namespace

std::string BasePath(const BaseImage& base) {
  for (const std::string& variable : base.config.env) {
    if (variable.starts_with("PATH=") && variable.size() > 5) return variable.substr(5);
  }
  return "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
}

std::string BaseSystemName(const BaseImage& base) {
  const std::string* text = base.Content("/etc/os-release");
  if (text == nullptr) text = base.Content("/usr/lib/os-release");
  if (text == nullptr) return "";
  for (std::string_view line : specs::Split(*text, '\n')) {
    constexpr std::string_view kName = "PRETTY_NAME=";
    if (!line.starts_with(kName)) continue;
    line.remove_prefix(kName.size());
    while (line.starts_with('"') || line.starts_with('\'')) line.remove_prefix(1);
    while (line.ends_with('"') || line.ends_with('\'')) line.remove_suffix(1);
    return std::string(line.substr(0, 100));
  }
  return "";
}

BasePython FindBasePython(const BaseImage& base, std::string_view version) {
  for (const std::string& folder : Folders(base)) {
    const std::string path = fmt::format("{}/python{}", folder, version);
    if (!base.Resolve(path)) continue;
    const std::optional<std::string> full = VersionOf(base, path, version);
    if (!full) {
      throw Error(fmt::format("{} in the base image does not say which version it is", path))
          .Expected(fmt::format("CPython {}", version));
    }
    BasePython python{.path = path, .version = *full};
    TakeGlibc(base, python);
    return python;
  }
  NoPython(base, version);
}

}  // namespace imgbuild::builder
