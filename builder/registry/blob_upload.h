// Getting one blob into a repository (OCI distribution-spec v1.1, "Pushing blobs"): not at all
// where it is there, mounted from another repository where one has it, else uploaded, going on
// where an upload was cut off.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "builder/registry/push_memory.h"
#include "builder/registry/registry.h"
#include "specs/base/digest.h"

namespace imgbuild::builder {

struct PushBlob {
  specs::Sha256 digest;
  std::uint64_t size = 0;
  std::filesystem::path file;
};

enum class BlobOutcome { kPresent, kMounted, kUploaded };

struct BlobResult {
  BlobOutcome outcome = BlobOutcome::kPresent;
  std::uint64_t bytes_sent = 0;  // what went out again after a cut counts again
};

struct UploadOptions {
  int max_failures = 6;            // in a row, without a byte of progress
  std::uint64_t backoff_ms = 300;  // before the second try; doubles, with jitter
  // Makes the file of a blob that the registry turned out to need, where there is none; throws
  // Error where it cannot. Called on the thread that uploads. Null: all files are there.
  std::function<void(const PushBlob&)> obtain = {};
  // From here on a blob goes out in a request of its own before the one that ends the upload, so
  // that a cut can be repaired.
  std::uint64_t resumable_size = 4u << 20;
};

// Blocks until the blob is there. `progress` is told of every byte of the blob once, as it goes
// out; of none where it was there or mounted. Throws Error where it cannot be done, (kVerification)
// where the file turns out to be another blob; AccessRefused at once. Thread-safe.
BlobResult UploadBlob(Registry& registry, PushMemory& memory, const PushBlob& blob,
                      const std::function<void(std::uint64_t)>& progress,
                      const UploadOptions& options = {});

}  // namespace imgbuild::builder
