#include "layers/io/hashing.h"

#include <fmt/format.h>

#include "layers/io/file.h"
#include "specs/base/error.h"
#include "specs/base/text.h"

namespace imgbuild::layers {

std::size_t HashingSource::Read(std::span<std::byte> buffer) {
  std::size_t size = source_.Read(buffer);
  hasher_.Update(std::span<const std::byte>(buffer.first(size)));
  count_ += size;
  return size;
}

void HashingSink::Write(std::span<const std::byte> bytes) {
  sink_.Write(bytes);
  hasher_.Update(bytes);
  count_ += bytes.size();
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
