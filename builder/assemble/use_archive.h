// Archives in the cache that turn out damaged are fetched again, once.
#pragma once

#include <filesystem>
#include <utility>

#include <fmt/core.h>

#include "builder/assemble/fetcher.h"
#include "specs/base/error.h"

namespace imgbuild::builder {

// Gives `use` the path of the package's archive, fetching it where it is missing, and returns what
// it returns. Where `use` fails and the archive is gone or is not what it was when it came, fetches
// it again and calls `use` once more; any other failure stands. Not to be called on the client's
// thread.
template <typename Use>
auto UseArchive(const specs::LockedPackage& package, Fetcher& fetcher, Use&& use) {
  const std::filesystem::path archive = fetcher.FetchNow(package);
  try {
    return use(archive);
  } catch (const specs::Error&) {
    if (fetcher.Recheck(package)) throw;
  }
  return specs::WithContext(fmt::format("after {} turned out damaged in the cache", package.file),
                            [&] { return use(fetcher.FetchNow(package)); });
}

}  // namespace imgbuild::builder
