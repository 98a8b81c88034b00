// Where packages come from on this machine: the order of docs/sources.md, decided in one place.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "builder/host/apt_sources.h"
#include "builder/host/environment.h"
#include "builder/host/pip_config.h"

namespace imgbuild::builder {

// A URL and the setting that gave it, for messages. The URL may carry credentials.
struct SourceSetting {
  std::string url;     // without slash at the end
  std::string origin;  // "IMGBUILD_DEBIAN_MIRROR", "spec.toml: system.mirror", ...

  bool operator==(const SourceSetting&) const = default;
};

// Parts of ~/.config/imgbuild/config.toml that name sources. All optional.
struct SourceConfig {
  std::string file;  // for messages
  std::optional<std::string> debian_mirror;
  std::optional<std::string> debian_security_mirror;
  std::optional<std::string> debian_snapshot;
  std::optional<std::string> debian_keyring;
  std::optional<std::string> python_index;
  std::map<std::string, std::string> indexes;  // named indexes: name -> URL
  std::vector<std::string> cache_from;         // as --cache-from takes them
};

// What the host itself is set up with.
struct HostSources {
  std::vector<AptSource> apt;
  PipConfig pip;
  std::string default_debian_mirror;  // found when imgbuild was configured; may be empty
  std::string default_debian_security_mirror;
  std::string default_python_index;
};

// Reads /etc/apt and pip's files, with the defaults this program was configured with.
HostSources ReadHostSources(const Environment& environment);

struct DebianMirrors {
  SourceSetting archive;   // serves bookworm, trixie and their -updates
  SourceSetting security;  // serves bookworm-security, trixie-security
};

// Environment, spec, configuration, host's apt, configured default: the first that names one. A
// security mirror that nothing names is the archive's with "-security" after its path. Throws Error
// where no mirror is known.
DebianMirrors FindDebianMirrors(const Environment& environment,
                                const std::optional<std::string>& spec_mirror,
                                const SourceConfig& config, const HostSources& host);

// The default Python index: PIP_INDEX_URL, UV_INDEX_URL or UV_DEFAULT_INDEX, configuration, the
// host's pip, configured default. Throws Error where none is known.
SourceSetting FindPythonIndex(const Environment& environment, const SourceConfig& config,
                              const HostSources& host);

struct NamedIndex {
  std::string name;
  SourceSetting setting;
};

// A [[python.indexes]] entry: IMGBUILD_INDEX_<NAME>_URL, spec, configuration; credentials of
// IMGBUILD_INDEX_<NAME>_USERNAME and _PASSWORD are put into the URL. Throws Error (kUsage) where no
// URL is known. <NAME> is the name in upper case with every other character than letters and digits
// as _.
NamedIndex FindNamedIndex(const Environment& environment, std::string_view name,
                          const std::optional<std::string>& spec_url, const SourceConfig& config);

// A warning for each extra-index-url of the host's pip, which is not taken over silently: "" when
// there is none. URLs are shown without credentials.
std::string WarnOfExtraIndexes(const Environment& environment, const HostSources& host);

}  // namespace imgbuild::builder
