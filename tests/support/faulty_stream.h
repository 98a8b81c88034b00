// Streams that fail at a chosen byte, as a full disk or a cut connection would.
#pragma once

#include <algorithm>
#include <cstdint>

#include "layers/io/stream.h"
#include "specs/base/error.h"

namespace imgbuild::support {

// Passes the first `good` bytes on to `sink`, then throws at every write.
class FaultySink : public layers::Sink {
 public:
  FaultySink(layers::Sink& sink, std::uint64_t good) : sink_(sink), good_(good) {}

  using Sink::Write;
  void Write(std::span<const std::byte> bytes) override {
    std::size_t size = std::min<std::uint64_t>(bytes.size(), good_);
    if (size > 0) sink_.Write(bytes.first(size));
    good_ -= size;
    if (size < bytes.size()) throw specs::Error("injected: no space left on device");
  }

 private:
  layers::Sink& sink_;
  std::uint64_t good_;
};

// Gives the first `good` bytes of `source` in reads of at most `step` bytes, then throws.
class FaultySource : public layers::Source {
 public:
  FaultySource(layers::Source& source, std::uint64_t good, std::size_t step = 1 << 20)
      : source_(source), good_(good), step_(step) {}

  std::size_t Read(std::span<std::byte> buffer) override {
    if (buffer.empty()) return 0;
    if (good_ == 0) throw specs::Error("injected: the connection was lost");
    std::size_t wanted = std::min<std::uint64_t>({buffer.size(), step_, good_});
    std::size_t size = source_.Read(buffer.first(wanted));
    good_ -= size;
    return size;
  }

 private:
  layers::Source& source_;
  std::uint64_t good_;
  std::size_t step_;
};

// Gives all of `source`, in reads of at most `step` bytes.
class SlowSource : public layers::Source {
 public:
  SlowSource(layers::Source& source, std::size_t step) : source_(source), step_(step) {}
  std::size_t Read(std::span<std::byte> buffer) override {
    return source_.Read(buffer.first(std::min(buffer.size(), step_)));
  }

 private:
  layers::Source& source_;
  std::size_t step_;
};

}  // namespace imgbuild::support
