// One blob of a repository as its bytes come (OCI distribution-spec v1.1, "Pulling blobs"), kept
// nowhere: in stretches (RFC 9110, 14), so that what is cut off is asked for again alone, and a
// reader who is slow holds up nobody else.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <future>
#include <span>
#include <string>

#include "builder/registry/registry.h"
#include "layers/io/stream.h"
#include "specs/base/error.h"
#include "specs/oci/descriptor.h"

namespace imgbuild::builder {

// The registry gives blobs whole or not at all.
class RangesRefused : public specs::Error {
 public:
  using specs::Error::Error;
};

// `size` bytes from `offset`, or fewer where the registry gives fewer, but one at least. Throws
// Error where there are none, RangesRefused as above. REQUIRES: size > 0, and all lies in the blob.
// `max_tries` as for FetchManifest.
std::string FetchStretch(Registry& registry, const specs::Descriptor& blob, std::uint64_t offset,
                         std::uint64_t size, int max_tries = 0);

// The bytes of all stretches; the next one is fetched while this one is read. They are unverified.
class BlobStream : public layers::Source {
 public:
  using Fetch = std::function<std::string(std::uint64_t offset, std::uint64_t size)>;

  // Of a blob of that size. Memory is twice the stretch.
  BlobStream(std::uint64_t size, Fetch fetch, std::uint64_t stretch = 4u << 20);

  // Fetches the first stretch. Once, before all else.
  void Start();

  // Throws what fetching threw, again if it is asked again.
  std::size_t Read(std::span<std::byte> buffer) override;

 private:
  void FetchAhead(std::uint64_t offset);

  const std::uint64_t size_;
  const Fetch fetch_;
  const std::uint64_t stretch_;
  std::string bytes_;  // being read
  std::size_t read_ = 0;
  std::uint64_t begin_ = 0;                // of bytes_ in the blob
  std::shared_future<std::string> ahead_;  // last: ends before what it uses goes
};

}  // namespace imgbuild::builder
