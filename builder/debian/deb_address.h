// Where a locked .deb can be fetched from, and what to say when it is nowhere any more.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "builder/host/package_sources.h"
#include "specs/base/error.h"
#include "specs/env/lock.h"

namespace imgbuild::builder {

struct DownloadAddress {
  std::string url;     // may carry credentials; show it through RedactUrl
  std::string origin;  // the setting it comes from, for messages

  bool operator==(const DownloadAddress&) const = default;
};

// The base address in a snapshot archive of the mirror that held the suite when it was locked: as
// the template says, which has {timestamp} (the locked Release's date as YYYYMMDDTHHMMSSZ) and
// {archive} ("debian" or "debian-security"). nullopt where the lock has no such date. Throws Error
// (kUsage) for a template without {timestamp}.
std::optional<std::string> SnapshotMirror(const std::string& snapshot,
                                          const specs::LockedSuite& suite);

// Addresses in the order to try: the suite's mirror, then SnapshotMirror. Throws Error (kUsage) as
// that does, and for a package without a path below a mirror.
std::vector<DownloadAddress> DebAddresses(const specs::LockedPackage& package,
                                          const std::vector<specs::LockedSuite>& suites,
                                          const DebianMirrors& mirrors,
                                          const std::optional<std::string>& snapshot);

// What to throw when every address answered 404: names the package, what was tried, and the exact
// command that moves it in the lock of `spec_file`.
specs::Error SupersededDeb(const specs::LockedPackage& package,
                           const std::vector<DownloadAddress>& tried,
                           const std::optional<std::string>& snapshot, std::string_view spec_file);

}  // namespace imgbuild::builder
