// Streams that watch what passes through them: digest, count, limit.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "layers/io/stream.h"
#include "specs/base/digest.h"

namespace imgbuild::layers {

// Passes on what `source` gives; borrowed for the object's life. Read in large buffers: hashing
// small ones costs twice.
class HashingSource : public Source {
 public:
  explicit HashingSource(Source& source) : source_(source) {}
  std::size_t Read(std::span<std::byte> buffer) override;

  std::uint64_t count() const { return count_; }
  // Of everything read so far; call once.
  specs::Sha256 Finish() { return hasher_.Finish(); }

 private:
  Source& source_;
  specs::Sha256Hasher hasher_;
  std::uint64_t count_ = 0;
};

// Writes on to `sink` (borrowed). What the sink refused is not counted.
class HashingSink : public Sink {
 public:
  explicit HashingSink(Sink& sink) : sink_(sink) {}
  using Sink::Write;
  void Write(std::span<const std::byte> bytes) override;

  std::uint64_t count() const { return count_; }
  specs::Sha256 Finish() { return hasher_.Finish(); }

 private:
  Sink& sink_;
  specs::Sha256Hasher hasher_;
  std::uint64_t count_ = 0;
};

// Throws an Error that names `what` as soon as more than `limit` bytes came: for sizes that
// untrusted bytes decide.
class BoundedSource : public Source {
 public:
  BoundedSource(Source& source, std::uint64_t limit, std::string what)
      : source_(source), limit_(limit), what_(std::move(what)) {}
  std::size_t Read(std::span<std::byte> buffer) override;

 private:
  Source& source_;
  std::uint64_t limit_;
  std::uint64_t count_ = 0;
  std::string what_;
};

// Of a regular file's content, read through a buffer: the file may change or shrink meanwhile.
specs::Sha256 HashFile(const std::filesystem::path& path);

// Takes everything, keeps nothing.
class NullSink : public Sink {
 public:
  using Sink::Write;
  void Write(std::span<const std::byte>) override {}
};

}  // namespace imgbuild::layers
