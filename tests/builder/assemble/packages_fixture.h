// Small packages with addresses on a fake network, and a store: what tests of the steps share.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "builder/assemble/fetcher.h"
#include "builder/assemble/package_maker.h"
#include "specs/base/digest.h"
#include "tests/support/fake_http.h"
#include "tests/support/make_deb.h"
#include "tests/support/make_wheel.h"
#include "tests/support/quiet_progress.h"
#include "tests/support/temp_folder.h"

namespace imgbuild::builder {

// Every package is at one address, which ends in its file name. Failures are injected before others
// use it: threads only read.
class TableLocator : public ArchiveLocator {
 public:
  void Prepare(std::span<const specs::LockedPackage* const>) override {
    if (!prepare_fails.empty()) throw specs::Error(prepare_fails);
  }
  std::vector<ArchiveAddress> Addresses(const specs::LockedPackage& package) override {
    if (package.name == no_address_for) throw specs::Error("no mirror has " + package.name);
    return {{"http://mirror.example/" + package.file, "a test"}};
  }
  specs::Error Gone(const specs::LockedPackage& package,
                    const std::vector<ArchiveAddress>&) override {
    return specs::Error(package.file + " is gone");
  }

  std::string prepare_fails;
  std::string no_address_for;
};

class Packages {
 public:
  Packages() = default;

  Fetcher MakeFetcher(NetworkPolicy network = NetworkPolicy::kAllowed) {
    return Fetcher(
        store, [this]() -> HttpClient& { return http; },
        [this]() -> ArchiveLocator& { return locator; }, progress,
        {.network = network, .local_wheels = local_wheels});
  }

  // In the lock; served.
  specs::LockedPackage& Add(specs::LockedPlatform& locked, const support::MakeDeb& deb) {
    specs::LockedPackage package;
    package.kind = specs::PackageKind::kDeb;
    package.name = deb.name;
    package.version = deb.version;
    package.architecture = deb.architecture;
    package.file = deb.name + "_" + deb.version + "_" + deb.architecture + ".deb";
    package.source = "bookworm/main";
    package.layer = "base";
    return Serve(locked, std::move(package), deb.Bytes());
  }
  specs::LockedPackage& Add(specs::LockedPlatform& locked, const support::MakeWheel& wheel) {
    specs::LockedPackage package;
    package.kind = specs::PackageKind::kWheel;
    package.name = wheel.name;
    package.version = wheel.version;
    package.file = wheel.FileName();
    package.source = "default";
    package.layer = "python";
    package.required_by = {"spec"};
    return Serve(locked, std::move(package), wheel.Bytes());
  }

  std::string Url(const specs::LockedPackage& package) const {
    return "http://mirror.example/" + package.file;
  }

  support::TempFolder folder;
  layers::Store store{folder.path() / "cache"};
  support::FakeHttp http;
  TableLocator locator;
  support::QuietProgress progress;
  std::map<std::string, std::string> local_wheels;

 private:
  specs::LockedPackage& Serve(specs::LockedPlatform& locked, specs::LockedPackage package,
                              const std::string& bytes) {
    package.size = bytes.size();
    package.sha256 = specs::HashOf(bytes);
    http.Serve(Url(package), bytes);
    locked.packages.push_back(std::move(package));
    return locked.packages.back();
  }
};

// `count` packages that have a library file each.
inline void AddDebs(Packages& packages, specs::LockedPlatform& locked, int count) {
  for (int i = 0; i < count; ++i) {
    support::MakeDeb deb;
    deb.name = "package" + std::to_string(i);
    deb.File("./usr/share/" + deb.name + "/data",
             std::string(static_cast<std::size_t>(1000 * i), static_cast<char>('a' + i % 26)));
    packages.Add(locked, deb);
  }
}

}  // namespace imgbuild::builder
