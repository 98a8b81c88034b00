#include <algorithm>

#include <fmt/core.h>

#include "specs/base/error.h"
#include "specs/base/text.h"
#include "specs/base/url.h"
#include "specs/env/spec_reader.h"
#include "specs/oci/reference.h"

namespace imgbuild::specs {
namespace {

const TomlValue kEmpty;

// Debian policy 5.6.1: lower-case letters, digits, "+", "-" and ".", two at least.
bool IsDebianName(std::string_view name) {
  auto alnum = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  if (name.size() < 2 || !alnum(name[0])) return false;
  return std::all_of(name.begin(), name.end(),
                     [&](char c) { return alnum(c) || c == '+' || c == '-' || c == '.'; });
}

void ReadPackages(TableReader& system, SystemSection& section) {
  for (const Placed& package : system.Strings("packages")) {
    std::size_t equals = package.text.find('=');
    std::string_view name = std::string_view(package.text).substr(0, equals);
    bool version_missing = equals != std::string::npos && equals + 1 == package.text.size();
    if (!IsDebianName(name) || version_missing) {
      std::string hint;
      if (ToLower(name) != name) hint = fmt::format("write \"{}\"", ToLower(package.text));
      if (name.ends_with(".deb")) hint = "only packages of the suite's archive can be installed";
      system.Note(package.where,
                  fmt::format("\"{}\" is no Debian package, expected \"name\" or \"name=version\"",
                              package.text),
                  hint);
      continue;
    }
    auto& packages = section.packages;
    if (std::find(packages.begin(), packages.end(), package.text) == packages.end()) {
      packages.push_back(package.text);
    }
  }
}

// As SystemSection::image has it.
std::optional<std::string> ReadBaseImage(TableReader& system) {
  for (const Placed& image : system.Strings("image")) {
    std::string_view text = image.text;
    const std::size_t path = BaseImagePath(text);
    if (path < text.size()) {
      return std::string(text.substr(0, path)) + BesideFile(image.where.file, text.substr(path));
    }
    constexpr std::string_view kRegistry = "docker://";
    if (text.starts_with(kRegistry)) text.remove_prefix(kRegistry.size());
    try {
      return ParseReference(text).Render();
    } catch (const Error& error) {
      system.Note(image.where, fmt::format("system.image is no image: {}", error.message()),
                  "write HOST/NAME:TAG, oci:DIRECTORY, oci-archive:FILE or docker-archive:FILE");
    }
    break;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> ReadSourceUrl(TableReader& table, std::string_view key) {
  std::optional<std::string> url = table.String(key);
  if (!url) return std::nullopt;
  std::size_t scheme = url->find("://");
  bool known =
      url->starts_with("http://") || url->starts_with("https://") || url->starts_with("file://");
  if (!known || scheme + 3 == url->size()) {
    table.Note(
        key, fmt::format("{} is no URL, expected https://, http:// or file://", table.PathOf(key)));
    return std::nullopt;
  }
  std::size_t host_end = url->find('/', scheme + 3);
  if (url->substr(scheme + 3, host_end - scheme - 3).find('@') != std::string::npos) {
    table.Note(key, fmt::format("{} holds credentials", table.PathOf(key)),
               "they come from the environment or from netrc, see docs/sources.md");
    return std::nullopt;
  }
  return url;
}

SystemSection ReadSystem(const TomlValue* table, SpecReading& reading) {
  TableReader system(table != nullptr ? *table : kEmpty, "system", "system", reading);
  SystemSection section;
  section.image = ReadBaseImage(system);
  if (auto suite = system.Word("suite", {"bookworm", "trixie"})) {
    section.suite = *suite == 0 ? Suite::kBookworm : Suite::kTrixie;
  }
  if (auto profile = system.Word("profile", {"slim", "distroless"})) {
    section.profile = *profile == 0 ? Profile::kSlim : Profile::kDistroless;
  }
  ReadPackages(system, section);
  for (const Placed& file : system.Strings("certificates")) {
    section.certificates.push_back(BesideFile(file.where.file, file.text));
  }
  section.mirror = ReadSourceUrl(system, "mirror");
  section.snapshot = ReadSourceUrl(system, "snapshot");
  if (section.snapshot && section.snapshot->find("{timestamp}") == std::string::npos) {
    system.Note("snapshot", "system.snapshot holds no {timestamp}, which the lock's date replaces");
  }
  section.keyring = system.HostPath("keyring");
  return section;
}

std::vector<FilesEntry> ReadFiles(TableReader& spec) {
  std::vector<FilesEntry> files;
  std::size_t index = 0;
  for (const TomlValue* table : spec.Tables("files")) {
    TableReader reader(*table, fmt::format("files[{}]", index++), "files", spec.reading());
    FilesEntry entry;
    for (std::string_view key : {"from", "to"}) {
      if (!reader.Has(key)) reader.Note(key, fmt::format("{} is missing", reader.PathOf(key)));
    }
    entry.from = reader.HostPath("from").value_or("");
    entry.to = reader.ImagePlace("to").value_or("");
    entry.exclude = reader.Texts("exclude");
    entry.mode = reader.Mode("mode");
    entry.owner = reader.String("owner").value_or(entry.owner);
    if (!IsNumericOwner(entry.owner)) {
      reader.Note("owner", fmt::format("{} is \"{}\", expected \"uid:gid\" in numbers",
                                       reader.PathOf("owner"), entry.owner));
    } else if (entry.owner.find(':') == std::string::npos) {
      entry.owner += ":" + entry.owner;
    }
    files.push_back(std::move(entry));
  }
  return files;
}

namespace {

// Of a file in a folder, which `to` with a slash at its end names, the name is the URL's.
std::string ReadArtifactPlace(TableReader& reader, const ArtifactEntry& entry) {
  std::string place = reader.ImagePlace("to").value_or("");
  if (!place.ends_with('/')) return place;
  if (entry.extract) return reader.ImagePath("to").value_or("");
  const std::string name = UrlFileName(entry.url);
  const bool good = !name.empty() && name != "." && name != ".." &&
                    name.find_first_of(std::string_view("/\0", 2)) == std::string::npos;
  if (!entry.url.empty() && !good) {
    reader.Note("to", fmt::format("neither {} nor the URL names the file", reader.PathOf("to")),
                "end it in the file's name");
  }
  return place + name;
}

}  // namespace

std::vector<ArtifactEntry> ReadArtifacts(TableReader& spec) {
  std::vector<ArtifactEntry> artifacts;
  std::size_t index = 0;
  for (const TomlValue* table : spec.Tables("artifacts")) {
    TableReader reader(*table, fmt::format("artifacts[{}]", index++), "artifacts", spec.reading());
    ArtifactEntry entry;
    for (std::string_view key : {"url", "sha256", "to"}) {
      if (!reader.Has(key)) reader.Note(key, fmt::format("{} is missing", reader.PathOf(key)));
    }
    entry.url = ReadSourceUrl(reader, "url").value_or("");
    if (auto text = reader.String("sha256")) {
      std::optional<Sha256> digest = Sha256::Parse(*text);
      if (!digest) {
        reader.Note("sha256", fmt::format("{} is \"{}\", expected 64 hexadecimal digits",
                                          reader.PathOf("sha256"), *text));
      }
      entry.sha256 = digest.value_or(Sha256());
    }
    entry.mode = reader.Mode("mode").value_or(entry.mode);
    entry.extract = reader.Boolean("extract").value_or(false);
    entry.to = ReadArtifactPlace(reader, entry);
    std::int64_t strip = reader.Integer("strip").value_or(0);
    if (strip < 0 || strip > 100 || (strip > 0 && !entry.extract)) {
      reader.Note("strip", fmt::format("{} is {}, expected 0 to 100, and extract = true",
                                       reader.PathOf("strip"), strip));
    } else {
      entry.strip = static_cast<std::uint32_t>(strip);
    }
    if (auto text = reader.String("platform")) {
      entry.platform = Platform::Parse(*text);
      if (!entry.platform) {
        reader.Note("platform", fmt::format("no platform \"{}\", expected \"linux/amd64\" or "
                                            "\"linux/arm64\"",
                                            *text));
      }
    }
    artifacts.push_back(std::move(entry));
  }
  return artifacts;
}

}  // namespace imgbuild::specs
