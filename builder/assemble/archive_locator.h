// Where archives can be had: the seam to what knows mirrors and indexes.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "builder/net/http_client.h"
#include "specs/base/error.h"
#include "specs/env/lock.h"

namespace imgbuild::builder {

struct ArchiveAddress {
  std::string url;                       // may carry credentials
  std::string origin;                    // the setting it comes from, for messages
  std::vector<HttpHeader> headers = {};  // credentials for the URL's own origin

  bool operator==(const ArchiveAddress&) const = default;
};

// Thread-safe: a damaged archive is fetched again by whichever thread finds it so.
class ArchiveLocator {
 public:
  virtual ~ArchiveLocator() = default;
  // Called before Addresses with all that it will be asked for, so that index pages can be fetched
  // together. Once for a build, and once more for each archive that is fetched on its own.
  virtual void Prepare(std::span<const specs::LockedPackage* const> packages) = 0;
  // In the order to try. Throws Error where it cannot be known.
  virtual std::vector<ArchiveAddress> Addresses(const specs::LockedPackage& package) = 0;
  // What to throw when every address answered that it has no such file.
  virtual specs::Error Gone(const specs::LockedPackage& package,
                            const std::vector<ArchiveAddress>& tried) = 0;
};

}  // namespace imgbuild::builder
