#include "builder/host/package_sources.h"

#include <algorithm>

#include <fmt/core.h>

#include "builder/host/default_sources.h"
#include "specs/base/error.h"
#include "specs/base/text.h"
#include "specs/base/url.h"

namespace imgbuild::builder {
namespace {

std::optional<SourceSetting> Setting(const std::optional<std::string>& url, std::string origin) {
  if (!url || url->empty()) return std::nullopt;
  return SourceSetting{specs::WithoutSlash(*url), std::move(origin)};
}

std::optional<SourceSetting> FromEnvironment(const Environment& environment,
                                             std::initializer_list<std::string_view> names) {
  for (std::string_view name : names) {
    if (auto found = Setting(environment.Get(name), std::string(name))) return found;
  }
  return std::nullopt;
}

bool IsDebianSuite(std::string_view suite) {
  return suite == "bookworm" || suite == "trixie" || suite == "stable" || suite == "oldstable";
}

bool IsSecuritySuite(std::string_view suite) {
  return suite.ends_with("-security") && IsDebianSuite(suite.substr(0, suite.rfind('-')));
}

bool Has(const std::vector<std::string>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// Others call their suites "stable" or by Debian's code names, too; but they have no updates suite
// beside them, and not Debian's keys.
bool IsDebianArchive(const std::vector<AptSource>& sources, const AptSource& source,
                     const std::string& suite) {
  if (source.signed_by.find("debian-archive") != std::string::npos) return true;
  return std::any_of(sources.begin(), sources.end(), [&](const AptSource& other) {
    return other.uri == source.uri && Has(other.components, "main") &&
           Has(other.suites, suite + "-updates");
  });
}

std::optional<SourceSetting> FromApt(const std::vector<AptSource>& sources,
                                     bool (*wanted)(std::string_view)) {
  for (const AptSource& source : sources) {
    const bool web = source.uri.starts_with("http") || source.uri.starts_with("file:");
    if (!web || !Has(source.components, "main")) continue;
    for (const std::string& suite : source.suites) {
      if (!wanted(suite)) continue;
      if (!IsSecuritySuite(suite) && !IsDebianArchive(sources, source, suite)) continue;
      return SourceSetting{source.uri, "this machine's apt, " + source.file};
    }
  }
  return std::nullopt;
}

std::string VariableName(std::string_view index) {
  std::string name = "IMGBUILD_INDEX_";
  for (char c : index) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    const bool plain = (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    name += plain ? c : '_';
  }
  return name;
}

std::string WithCredentials(std::string url, const Environment& environment,
                            const std::string& variable) {
  const std::optional<std::string> user = environment.Get(variable + "_USERNAME");
  const std::optional<std::string> password = environment.Get(variable + "_PASSWORD");
  const std::size_t scheme = url.find("://");
  if ((!user && !password) || scheme == std::string::npos) return url;
  const std::size_t authority = scheme + 3;
  const std::size_t end = std::min(url.find('/', authority), url.size());
  const std::size_t at = url.rfind('@', end);
  if (at != std::string::npos && at >= authority) url.erase(authority, at + 1 - authority);
  url.insert(authority, specs::PercentEncode(user.value_or("")) + ":" +
                            specs::PercentEncode(password.value_or("")) + "@");
  return url;
}

std::string WithoutCredentials(std::string url) {
  const std::size_t scheme = url.find("://");
  if (scheme == std::string::npos) return url;
  const std::size_t at = url.rfind('@', url.find('/', scheme + 3));
  if (at != std::string::npos && at > scheme) url.erase(scheme + 3, at - scheme - 2);
  return url;
}

}  // namespace

HostSources ReadHostSources(const Environment& environment) {
  return {.apt = ReadAptSources("/etc/apt"),
          .pip = ReadPipConfig(environment),
          .default_debian_mirror = kDefaultDebianMirror,
          .default_debian_security_mirror = kDefaultDebianSecurityMirror,
          .default_python_index = kDefaultPythonIndex};
}

DebianMirrors FindDebianMirrors(const Environment& environment,
                                const std::optional<std::string>& spec_mirror,
                                const SourceConfig& config, const HostSources& host) {
  // A setting that names the archive alone also decides the security mirror: a site's mirror is
  // one place, and half of the packages from elsewhere would be a surprise.
  std::optional<SourceSetting> security =
      FromEnvironment(environment, {"IMGBUILD_DEBIAN_SECURITY_MIRROR"});
  std::optional<SourceSetting> archive = FromEnvironment(environment, {"IMGBUILD_DEBIAN_MIRROR"});
  if (!archive) archive = Setting(spec_mirror, "the spec's system.mirror");
  if (!archive && config.debian_mirror) {
    archive = Setting(config.debian_mirror, config.file + ": debian.mirror");
    if (!security) {
      security = Setting(config.debian_security_mirror, config.file + ": debian.security-mirror");
    }
  }
  if (!archive) {
    archive = FromApt(host.apt, IsDebianSuite);
    if (archive && !security) security = FromApt(host.apt, IsSecuritySuite);
  }
  if (!archive) {
    archive = Setting(host.default_debian_mirror, "the default this imgbuild was built with");
    if (!security) {
      security =
          Setting(host.default_debian_security_mirror, "the default this imgbuild was built with");
    }
  }
  if (!archive) {
    throw specs::Error("no Debian mirror is known")
        .Hint(
            "set IMGBUILD_DEBIAN_MIRROR=https://mirror.example/debian, or system.mirror in the "
            "spec");
  }
  if (!security) {
    const std::size_t scheme = archive->url.find("://");
    if (scheme != std::string::npos && archive->url.find('/', scheme + 3) == std::string::npos) {
      throw specs::Error(specs::ErrorKind::kUsage,
                         fmt::format("{} names the Debian archive at the top of its host, which "
                                     "does not tell where the security archive is",
                                     archive->origin))
          .Hint("set IMGBUILD_DEBIAN_SECURITY_MIRROR too");
    }
    security = SourceSetting{archive->url + "-security", archive->origin};
  }
  return {*archive, *security};
}

SourceSetting FindPythonIndex(const Environment& environment, const SourceConfig& config,
                              const HostSources& host) {
  auto found = FromEnvironment(environment, {"IMGBUILD_INDEX_DEFAULT_URL", "PIP_INDEX_URL",
                                             "UV_DEFAULT_INDEX", "UV_INDEX_URL"});
  if (!found) found = Setting(config.python_index, config.file + ": python.index");
  if (!found) {
    found = Setting(host.pip.index_url, "this machine's pip, " + host.pip.index_file);
  }
  if (!found) {
    found = Setting(host.default_python_index, "the default this imgbuild was built with");
  }
  if (!found) {
    throw specs::Error("no Python package index is known")
        .Hint("set PIP_INDEX_URL=https://index.example/simple");
  }
  found->url = WithCredentials(found->url, environment, "IMGBUILD_INDEX_DEFAULT");
  return *found;
}

NamedIndex FindNamedIndex(const Environment& environment, std::string_view name,
                          const std::optional<std::string>& spec_url, const SourceConfig& config) {
  const std::string variable = VariableName(name);
  auto found = FromEnvironment(environment, {variable + "_URL"});
  if (!found) found = Setting(spec_url, "the spec's python.indexes");
  if (!found) {
    if (auto entry = config.indexes.find(std::string(name)); entry != config.indexes.end()) {
      found = Setting(entry->second, config.file + ": indexes");
    }
  }
  if (!found) {
    throw specs::Error(specs::ErrorKind::kUsage, fmt::format("the index \"{}\" has no URL", name))
        .Hint(fmt::format("set {}_URL, or url in its [[python.indexes]]", variable));
  }
  found->url = WithCredentials(found->url, environment, variable);
  return {std::string(name), *found};
}

std::string WarnOfExtraIndexes(const Environment& environment, const HostSources& host) {
  std::vector<std::string> urls;
  std::string origin;
  if (auto extra = environment.Get("PIP_EXTRA_INDEX_URL")) {
    for (std::string_view url : specs::SplitWords(*extra)) urls.emplace_back(url);
    origin = "PIP_EXTRA_INDEX_URL";
  } else {
    urls = host.pip.extra_index_urls;
    origin = host.pip.extra_file;
  }
  if (urls.empty()) return "";
  std::string text = fmt::format(
      "{} names an extra index, which is not used: any of its packages could replace one of the "
      "default index. To use it, write into the spec:",
      origin);
  int number = 0;
  for (const std::string& url : urls) {
    text += fmt::format("\n    [[python.indexes]]\n    name = \"extra{}\"\n    url = \"{}\"",
                        ++number, WithoutCredentials(url));
  }
  return text;
}

}  // namespace imgbuild::builder
