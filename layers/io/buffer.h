// A block of bytes of fixed capacity, not cleared when made: what large data passes through.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

namespace imgbuild::layers {

class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(std::size_t capacity)
      : bytes_(std::make_unique_for_overwrite<std::byte[]>(capacity)), capacity_(capacity) {}
  Buffer(Buffer&& other) noexcept
      : bytes_(std::move(other.bytes_)),
        capacity_(std::exchange(other.capacity_, 0)),
        size_(std::exchange(other.size_, 0)) {}
  Buffer& operator=(Buffer&& other) noexcept {
    bytes_ = std::move(other.bytes_);
    capacity_ = std::exchange(other.capacity_, 0);
    size_ = std::exchange(other.size_, 0);
    return *this;
  }

  std::size_t size() const { return size_; }
  std::size_t room() const { return capacity_ - size_; }
  std::span<const std::byte> bytes() const { return {bytes_.get(), size_}; }
  std::string_view view() const { return {reinterpret_cast<const char*>(bytes_.get()), size_}; }

  // Write into Free(), then say how much by Fill. REQUIRES: count <= room().
  std::span<std::byte> Free() { return {bytes_.get() + size_, room()}; }
  void Fill(std::size_t count) {
    assert(count <= room());
    size_ += count;
  }
  // REQUIRES: bytes.size() <= room().
  void Append(std::string_view bytes) {
    assert(bytes.size() <= room());
    if (bytes.empty()) return;
    std::memcpy(Free().data(), bytes.data(), bytes.size());
    size_ += bytes.size();
  }
  // Drops what is behind the first `size` bytes. REQUIRES: size <= size().
  void Truncate(std::size_t size) {
    assert(size <= size_);
    size_ = size;
  }

 private:
  std::unique_ptr<std::byte[]> bytes_;
  std::size_t capacity_ = 0;
  std::size_t size_ = 0;
};

}  // namespace imgbuild::layers
