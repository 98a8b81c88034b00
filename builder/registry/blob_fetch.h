// One blob of a repository (OCI distribution-spec v1.1, "Pulling blobs"), verified before anybody
// sees it; a transfer that was cut goes on where it stopped, in this run or in the next.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "builder/registry/registry.h"
#include "layers/store/store.h"
#include "specs/oci/descriptor.h"

namespace imgbuild::builder {

struct FetchOptions {
  int max_failures = 6;            // in a row, without progress
  std::uint64_t backoff_ms = 300;  // before the second try; doubles, with jitter
  // Bytes beyond the furthest so far, in one try, that count as progress: a server that drips, or
  // gives the same bytes again and again, must not keep us for ever.
  std::uint64_t least_progress = 32u << 10;
};

struct FetchResult {
  bool present = false;              // in the store; no request was made
  std::uint64_t bytes_received = 0;  // what came again counts again
};

// Blocks until the store has the blob. `progress` is told of every byte once, however it got there.
// Throws Error where it cannot be had, and (kVerification) where its bytes are not those of digest
// and size, twice over; AccessRefused at once. Thread-safe.
FetchResult FetchBlob(Registry& registry, layers::Store& store, const specs::Descriptor& blob,
                      const std::function<void(std::uint64_t)>& progress,
                      const FetchOptions& options = {});

// A small one into memory: a configuration, say. The store is neither asked nor told. Throws as
// above, and for one of more than 4 MiB. `max_tries` as for FetchManifest.
std::string FetchSmallBlob(Registry& registry, const specs::Descriptor& blob, int max_tries = 0);

// Whether the repository has it (a HEAD).
bool HasBlob(Registry& registry, const specs::Descriptor& blob);

}  // namespace imgbuild::builder
