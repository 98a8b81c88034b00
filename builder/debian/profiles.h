// What the base of an image consists of, by suite and profile. Essential packages are in nobody's
// Depends (Debian Policy 3.8), so that a working system has to name those it cannot do without.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "builder/debian/package_index.h"
#include "specs/env/spec.h"

namespace imgbuild::builder {

struct ProfilePackages {
  std::vector<std::string> roots;
  // For DebianSolveOptions::assumed: what only maintainer scripts use, which never run in an image
  // of this profile.
  std::set<std::string, std::less<>> assumed;
};

// Both profiles have Python, the libraries that wheels expect of a system (libstdc++6, libgcc-s1),
// certificates, time zones and what names users, hosts and media types. "slim" adds a shell and the
// commands that scripts take for granted; "distroless" has none.
ProfilePackages PackagesOf(specs::Suite suite, specs::Profile profile);

// What apt takes for granted, and with it the scripts of all that it installs: every Essential
// package of the index, where apt is among `packages` ("name" or "name=version"); else none.
std::vector<std::string> PackagesForApt(const PackageIndex& index,
                                        const std::vector<std::string>& packages);

}  // namespace imgbuild::builder
