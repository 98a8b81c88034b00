// How far an output has come while it is written: told to whoever shows it.
#pragma once

#include <cstdint>

#include "layers/io/stream.h"

namespace imgbuild::layers {

class WriteMeter {
 public:
  virtual ~WriteMeter() = default;
  // Once, before the first byte, and not at all where nothing has to be written. 0: it is not known
  // how many bytes there will be.
  virtual void Begin(std::uint64_t bytes) = 0;
  // Bytes that came into the output since the last call. Thread-safe.
  virtual void Advance(std::uint64_t bytes) = 0;
};

// Writes on to `sink` and tells `meter`, which may be null. Borrows both.
class MeteredSink : public Sink {
 public:
  MeteredSink(Sink& sink, WriteMeter* meter) : sink_(sink), meter_(meter) {}
  using Sink::Write;
  void Write(std::span<const std::byte> bytes) override {
    sink_.Write(bytes);
    if (meter_ != nullptr) meter_->Advance(bytes.size());
  }

 private:
  Sink& sink_;
  WriteMeter* meter_;
};

}  // namespace imgbuild::layers
