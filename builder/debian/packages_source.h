// One Packages file of a verified suite as a mapped table: from the cache, else fetched, checked
// and compiled.
#pragma once

#include <memory>
#include <string>

#include "builder/debian/package_table.h"
#include "builder/debian/release_source.h"

namespace imgbuild::builder {

struct PackagesRequest {
  const SuiteAtMirror& suite;
  const ReleaseFile& release;
  std::string component;  // "main"
  specs::Architecture architecture = specs::Architecture::kAmd64;
  NetworkUse network = NetworkUse::kOnline;
};

// Size and digest are checked before anything is unpacked, and unpacking stops at the size that
// the Release file states. by-hash addresses are tried first where the Release file offers them.
// Throws Error as Repository::Load says.
std::shared_ptr<const PackageTable> LoadPackages(const PackagesRequest& request, HttpClient& client,
                                                 Progress& progress);

}  // namespace imgbuild::builder
