// Which versions are tried before the newest: what stays between locks and is shared between the
// platforms of one.
#pragma once

#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "specs/env/lock.h"

namespace imgbuild::builder {

// What is known of earlier choices. Borrowed.
struct KeptVersions {
  const specs::Lock* previous = nullptr;
  bool upgrade_all = false;                         // the previous lock counts for nothing
  const std::set<std::string>* upgrades = nullptr;  // nor does it for these
  std::span<const specs::LockedPlatform> chosen;    // platforms that this run is done with
};

// Name -> versions, the best first: of the same platform in the previous lock, of its other
// platforms, then of those done in this run. A pre-release of another platform is not among them:
// the platform itself may have a final release.
std::map<std::string, std::vector<std::string>> PreferredVersions(const KeptVersions& kept,
                                                                  const specs::Platform& platform,
                                                                  specs::PackageKind kind);

// The same for the compiler of a host: what the previous lock has for it.
std::map<std::string, std::vector<std::string>> PreferredForCompiler(const KeptVersions& kept,
                                                                     const specs::Platform& host);

// Names that the previous lock has for the platform. Empty where it counts for nothing.
std::set<std::string> NamesBefore(const KeptVersions& kept, const specs::Platform& platform,
                                  specs::PackageKind kind);

}  // namespace imgbuild::builder
