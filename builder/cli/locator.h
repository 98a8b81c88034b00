// Knows where locked archives are: .debs at the mirrors, wheels at their indexes, artifacts by URL.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "builder/assemble/archive_locator.h"
#include "builder/cli/session.h"
#include "builder/pypi/index_client.h"
#include "specs/env/loader.h"
#include "specs/env/lock.h"

namespace imgbuild::builder {

// Thread-safe: besides the build, whichever thread compiles first fetches the compiler.
class MirrorLocator : public ArchiveLocator {
 public:
  // Borrows everything for its life. `spec_file` is for messages.
  MirrorLocator(Session& session, const specs::Spec& spec, const specs::Lock& lock,
                std::string spec_file)
      : session_(session), spec_(spec), lock_(lock), spec_file_(std::move(spec_file)) {}

  void Prepare(std::span<const specs::LockedPackage* const> packages) override;
  std::vector<ArchiveAddress> Addresses(const specs::LockedPackage& package) override;
  specs::Error Gone(const specs::LockedPackage& package,
                    const std::vector<ArchiveAddress>& tried) override;

 private:
  // By file name; not those that no index has.
  std::map<std::string, ArchiveAddress> FindWheels(
      const std::vector<const specs::LockedPackage*>& wheels, Freshness freshness);
  // Asked for by whichever thread first needs an address.
  void FindMirrors();

  Session& session_;
  const specs::Spec& spec_;
  const specs::Lock& lock_;
  const std::string spec_file_;
  std::mutex mutex_;
  std::map<std::string, ArchiveAddress> wheels_;  // by file name; guarded by mutex_
  std::once_flag mirrors_found_;
  DebianMirrors mirrors_;
  std::optional<std::string> snapshot_;
};

}  // namespace imgbuild::builder
