// The host's apt sources, as a place to learn its Debian mirror from (sources.list(5)).
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace imgbuild::builder {

struct AptSource {
  std::string uri;  // without slash at the end
  std::vector<std::string> suites;
  std::vector<std::string> components;
  std::string file;            // where it was read
  std::string signed_by = {};  // files of keys, fingerprints or a key itself, as it stands there

  bool operator==(const AptSource&) const = default;
};

// Enabled `deb` entries in both forms: one-line (*.list) and deb822 (*.sources). Text that is
// neither is passed over: these files are apt's, not ours to judge.
std::vector<AptSource> ParseAptList(std::string_view text, std::string_view file);
std::vector<AptSource> ParseAptDeb822(std::string_view text, std::string_view file);

// sources.list, sources.list.d/*.list and *.sources below `apt_directory` ("/etc/apt"), in apt's
// order. Unreadable files are passed over.
std::vector<AptSource> ReadAptSources(const std::filesystem::path& apt_directory);

}  // namespace imgbuild::builder
