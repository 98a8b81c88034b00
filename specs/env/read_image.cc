#include <algorithm>

#include <fmt/core.h>

#include "specs/base/text.h"
#include "specs/env/spec_reader.h"
#include "specs/oci/reference.h"

namespace imgbuild::specs {
namespace {

bool IsLower(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

std::string FileStem(std::string_view file) {
  file = file.substr(file.find_last_of('/') + 1);
  return std::string(file.substr(0, file.rfind(".toml")));
}

void ReadName(TableReader& image, ImageSection& section) {
  std::optional<std::string> name = image.String("name");
  section.name = name.value_or(FileStem(image.reading().request.file));
  if (IsRepositoryName(section.name)) return;
  image.Note("name",
             fmt::format("image.name is \"{}\", expected lower-case letters and digits with \"-\", "
                         "\"_\", \".\" or \"/\" between",
                         section.name),
             name ? "" : "write name = \"...\" under [image]");
}

void ReadPlatforms(TableReader& image, ImageSection& section) {
  for (const Placed& text : image.Strings("platforms")) {
    std::optional<Platform> platform = Platform::Parse(text.text);
    auto& known = section.platforms;
    if (!platform) {
      image.Note(
          text.where,
          fmt::format("no platform \"{}\", expected \"linux/amd64\" or \"linux/arm64\"", text.text),
          DidYouMean(text.text, {"linux/amd64", "linux/arm64"}));
    } else if (std::find(known.begin(), known.end(), *platform) != known.end()) {
      image.Note(text.where, fmt::format("platform \"{}\" stands here twice", text.text));
    } else {
      known.push_back(*platform);
    }
  }
  if (section.platforms.empty()) section.platforms = {HostPlatform()};
  // The order in which they were written would be one in the index's bytes.
  std::sort(section.platforms.begin(), section.platforms.end());
}

void ReadTags(TableReader& image, ImageSection& section) {
  for (const Placed& tag : image.Strings("tags")) {
    if (!IsTag(tag.text)) {
      image.Note(
          tag.where, fmt::format("\"{}\" is no tag", tag.text),
          "up to 128 letters, digits, \"_\", \".\" and \"-\", not beginning with the last two");
    }
    auto& tags = section.tags;
    if (std::find(tags.begin(), tags.end(), tag.text) == tags.end()) tags.push_back(tag.text);
  }
}

// Words of an upper-case name: API_KEY -> API, KEY.
bool LooksSecret(std::string_view name) {
  static constexpr std::string_view kSecret[] = {"password", "passwd",     "passphrase",
                                                 "secret",   "secrets",    "token",
                                                 "apikey",   "credential", "credentials"};
  static constexpr std::string_view kKeyKinds[] = {"api",    "access",  "private",
                                                   "secret", "signing", "encryption"};
  const std::string lower = ToLower(name);
  std::vector<std::string_view> words = Split(lower, '_');
  if (words.back() == "file" || words.back() == "path") return false;
  for (std::size_t i = 0; i < words.size(); ++i) {
    auto is = [&](std::string_view word) { return words[i] == word; };
    if (std::any_of(std::begin(kSecret), std::end(kSecret), is)) return true;
    if (i + 1 < words.size() && words[i + 1] == "key" &&
        std::any_of(std::begin(kKeyKinds), std::end(kKeyKinds), is)) {
      return true;
    }
  }
  return false;
}

void ReadUser(TableReader& image, ImageSection& section) {
  std::optional<std::string> user = image.String("user");
  if (!user) return;
  bool name = !user->empty() && std::all_of(user->begin(), user->end(), [](char c) {
    return IsLower(c) || c == '_' || c == '-';
  });
  if (!IsNumericOwner(*user) && !name) {
    image.Note("user",
               fmt::format("image.user is \"{}\", expected \"uid\", \"uid:gid\" or a name", *user));
  }
  section.user = *user;
}

void ReadAllowedLibraries(TableReader& image, ImageSection& section) {
  for (const Placed& soname : image.Strings("allow-missing-libraries")) {
    if (soname.text.find(".so") == std::string::npos ||
        soname.text.find('/') != std::string::npos) {
      image.Note(soname.where, fmt::format("\"{}\" is no name of a shared library", soname.text),
                 "as the error names it: \"libfoo.so.1\"");
    }
    section.allow_missing_libraries.push_back(soname.text);
  }
}

}  // namespace

bool IsNumericOwner(std::string_view text) {
  std::vector<std::string_view> parts = Split(text, ':');
  return parts.size() <= 2 && std::all_of(parts.begin(), parts.end(), [](std::string_view part) {
           std::optional<std::uint64_t> number = ParseUnsigned(part);
           return number && *number < 0xFFFFFFFF;
         });
}

std::map<std::string, std::string> ReadEnv(TableReader& table) {
  std::map<std::string, std::string> env = table.StringMap("env");
  for (const auto& [name, value] : env) {
    const SourcePosition where = table.reading().sources.Where(table.PathOf("env." + name));
    if (name.empty() || name.find_first_of("= \t\n") != std::string::npos) {
      table.Note(where, fmt::format("\"{}\" is no name of an environment variable", name));
    }
    if (value.find('\0') != std::string::npos) {
      table.Note(where, fmt::format("the value of {} holds a zero byte", name));
    }
    if (LooksSecret(name)) {
      table.Note(where,
                 fmt::format("{} looks like a secret, which would lie in the image for everyone to "
                             "read",
                             name),
                 fmt::format("give it when the container starts: podman run -e {} ...", name));
    }
  }
  return env;
}

ImageSection ReadImage(const TomlValue* table, SpecReading& reading) {
  static const TomlValue kEmpty;
  TableReader image(table != nullptr ? *table : kEmpty, "image", "image", reading);
  ImageSection section;
  ReadName(image, section);
  ReadTags(image, section);
  ReadPlatforms(image, section);
  section.env = ReadEnv(image);
  section.labels = image.StringMap("labels");
  section.annotations = image.StringMap("annotations");
  section.workdir = image.ImagePath("workdir").value_or(section.workdir);
  ReadUser(image, section);
  section.entrypoint = image.Texts("entrypoint");
  section.command = image.Texts("command");
  section.max_layer_size = image.Size("max-layer-size").value_or(section.max_layer_size);
  if (section.max_layer_size < 1'000'000) {
    image.Note("max-layer-size",
               "image.max-layer-size is below 1 MB, which no layer split reaches");
  }
  ReadAllowedLibraries(image, section);
  if (auto zone = section.env.find("TZ"); zone != section.env.end() && !zone->second.empty()) {
    section.timezone = zone->second == "UTC" ? "Etc/UTC" : zone->second;
  }
  return section;
}

}  // namespace imgbuild::specs
