#include "builder/lock/kept_versions.h"

#include <algorithm>

#include "specs/python/version.h"

namespace imgbuild::builder {
namespace {

using specs::LockedPackage;
using specs::LockedPlatform;
using specs::PackageKind;

bool IsPrerelease(const LockedPackage& package) {
  if (package.kind != PackageKind::kWheel) return false;
  const auto version = specs::Version::Parse(package.version);
  return version && version->is_prerelease();
}

class Collector {
 public:
  Collector(const specs::Platform& platform, PackageKind kind) : platform_(platform), kind_(kind) {}

  void Add(const LockedPlatform& locked, const std::set<std::string>* without = nullptr) {
    for (const LockedPackage& package : locked.packages) {
      if (package.kind != kind_) continue;
      if (without != nullptr && without->contains(package.name)) continue;
      if (locked.platform != platform_ && IsPrerelease(package)) continue;
      std::vector<std::string>& versions = versions_[package.name];
      if (std::ranges::find(versions, package.version) == versions.end()) {
        versions.push_back(package.version);
      }
    }
  }

  std::map<std::string, std::vector<std::string>> Finish() { return std::move(versions_); }

 private:
  const specs::Platform& platform_;
  const PackageKind kind_;
  std::map<std::string, std::vector<std::string>> versions_;
};

const LockedPlatform* Before(const KeptVersions& kept, const specs::Platform& platform) {
  if (kept.previous == nullptr || kept.upgrade_all) return nullptr;
  const auto found =
      std::ranges::find(kept.previous->platforms, platform, &LockedPlatform::platform);
  return found == kept.previous->platforms.end() ? nullptr : &*found;
}

}  // namespace

std::map<std::string, std::vector<std::string>> PreferredVersions(const KeptVersions& kept,
                                                                  const specs::Platform& platform,
                                                                  PackageKind kind) {
  Collector collector(platform, kind);
  if (const LockedPlatform* same = Before(kept, platform)) collector.Add(*same, kept.upgrades);
  if (kept.previous != nullptr && !kept.upgrade_all) {
    for (const LockedPlatform& other : kept.previous->platforms) {
      if (other.platform != platform) collector.Add(other, kept.upgrades);
    }
  }
  for (const LockedPlatform& chosen : kept.chosen) collector.Add(chosen);
  return collector.Finish();
}

std::map<std::string, std::vector<std::string>> PreferredForCompiler(const KeptVersions& kept,
                                                                     const specs::Platform& host) {
  std::map<std::string, std::vector<std::string>> versions;
  if (kept.previous == nullptr || kept.upgrade_all) return versions;
  for (const specs::LockedCompiler& compiler : kept.previous->compilers) {
    if (compiler.host != host) continue;
    for (const LockedPackage& package : compiler.packages) {
      if (kept.upgrades != nullptr && kept.upgrades->contains(package.name)) continue;
      versions[package.name] = {package.version};
    }
  }
  return versions;
}

std::set<std::string> NamesBefore(const KeptVersions& kept, const specs::Platform& platform,
                                  PackageKind kind) {
  std::set<std::string> names;
  const LockedPlatform* before = Before(kept, platform);
  if (before == nullptr) return names;
  for (const LockedPackage& package : before->packages) {
    if (package.kind == kind) names.insert(package.name);
  }
  return names;
}

}  // namespace imgbuild::builder
