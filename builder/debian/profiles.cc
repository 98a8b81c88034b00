#include "builder/debian/profiles.h"

#include <algorithm>
#include <string_view>

namespace imgbuild::builder {
namespace {

void Append(std::vector<std::string>& list, const std::vector<std::string>& more) {
  list.insert(list.end(), more.begin(), more.end());
}

}  // namespace

ProfilePackages PackagesOf(specs::Suite suite, specs::Profile profile) {
  ProfilePackages packages;
  // libc-bin has ldconfig, getent and the C.UTF-8 locale; ca-certificates brings openssl, without
  // whose links in /usr/lib/ssl Python finds no certificates.
  packages.roots = {"base-files", "base-passwd", "ca-certificates", "libc-bin", "libgcc-s1",
                    "libstdc++6", "media-types", "netbase",         "python3",  "tzdata"};
  if (suite == specs::Suite::kBookworm) {
    // Debian's Python 3.11 ships distutils apart, which pip and old packages still import.
    packages.roots.push_back("python3-distutils");
  }
  if (profile == specs::Profile::kDistroless) {
    packages.assumed = {"awk", "debconf", "dpkg"};
    return packages;
  }
  // Without dash there is no /bin/sh, and Python's subprocess(shell=True) fails; ncurses-base has
  // the terminals that bash's line editing needs; dpkg, which base packages bring, refuses to work
  // without diff.
  Append(packages.roots, {"bash", "coreutils", "dash", "diffutils", "grep", "ncurses-base", "sed"});
  if (suite == specs::Suite::kBookworm) {
    // Else a package that asks for merged /usr would bring usrmerge, and Perl with it.
    packages.roots.push_back("usr-is-merged");
  }
  return packages;
}

std::vector<std::string> PackagesForApt(const PackageIndex& index,
                                        const std::vector<std::string>& packages) {
  const auto is_apt = [](std::string_view package) {
    return package.substr(0, package.find('=')) == "apt";
  };
  if (std::ranges::none_of(packages, is_apt)) return {};
  std::set<std::string, std::less<>> names;  // the index may have several versions of each
  for (const Package& package : index.All()) {
    if (package.essential()) names.emplace(package.name());
  }
  return {names.begin(), names.end()};
}

}  // namespace imgbuild::builder
