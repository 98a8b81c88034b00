#include "layers/io/stream.h"

#include <algorithm>
#include <cstring>
#include <vector>

namespace imgbuild::layers {

std::size_t MemorySource::Read(std::span<std::byte> buffer) {
  std::size_t size = std::min(buffer.size(), rest_.size());
  if (size == 0) return 0;
  std::memcpy(buffer.data(), rest_.data(), size);
  rest_.remove_prefix(size);
  return size;
}

void StringSink::Write(std::span<const std::byte> bytes) {
  text_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

std::size_t CopyAll(Source& source, Sink& sink) {
  std::vector<std::byte> buffer(256 * 1024);
  std::size_t total = 0;
  while (std::size_t size = source.Read(buffer)) {
    sink.Write(std::span(buffer).first(size));
    total += size;
  }
  return total;
}

std::string ReadAll(Source& source) {
  StringSink sink;
  CopyAll(source, sink);
  return sink.Take();
}

}  // namespace imgbuild::layers
