#include "layers/io/hashing.h"

#include <algorithm>

#include <fmt/format.h>

#include "layers/io/file.h"
#include "specs/base/error.h"
#include "specs/base/text.h"

namespace imgbuild::layers {
namespace {

constexpr std::size_t kAtOnce = 256u << 10;

}  // namespace

std::size_t HashingSource::Read(std::span<std::byte> buffer) {
  std::size_t size = source_.Read(buffer);
  hasher_.Update(std::span<const std::byte>(buffer.first(size)));
  count_ += size;
  return size;
}

void HashingSink::Write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    // What is written should still be in the processor's cache when it is hashed.
    const auto front = bytes.first(std::min(bytes.size(), kAtOnce));
    sink_.Write(front);
    hasher_.Update(front);
    count_ += front.size();
    bytes = bytes.subspan(front.size());
  }
}

std::size_t BoundedSource::Read(std::span<std::byte> buffer) {
  std::size_t size = source_.Read(buffer);
  count_ += size;
  if (count_ > limit_) {
    throw specs::Error(fmt::format("{} is larger than it may be", what_))
        .Expected("at most " + specs::HumanBytes(limit_));
  }
  return size;
}

specs::Sha256 HashFile(const std::filesystem::path& path) {
  FileSource file(path);
  HashingSource source(file);
  NullSink sink;
  CopyAll(source, sink);
  return source.Finish();
}

}  // namespace imgbuild::layers
