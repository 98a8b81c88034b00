// A file's bytes where only parts of them are at hand, as while it streams past.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace imgbuild::layers {

// Borrows the bytes.
class FileParts {
 public:
  // All of them.
  explicit FileParts(std::string_view whole) : size_(whole.size()) { Add(0, whole); }
  // Of a file of that size, none yet.
  explicit FileParts(std::uint64_t size) : size_(size) {}

  // REQUIRES: they lie within the file.
  void Add(std::uint64_t offset, std::string_view bytes) { parts_.emplace_back(offset, bytes); }

  std::uint64_t size() const { return size_; }

  // `count` bytes from `offset` on, fewer where the file ends. Fewer also where they are not in one
  // part, which missed() tells from then on.
  std::string_view Get(std::uint64_t offset, std::uint64_t count) {
    if (offset >= size_ || count == 0) return {};
    count = std::min(count, size_ - offset);
    for (const auto& [begin, bytes] : parts_) {
      if (offset < begin || offset - begin >= bytes.size()) continue;
      if (bytes.size() - (offset - begin) >= count) return bytes.substr(offset - begin, count);
    }
    missed_ = true;
    return {};
  }
  // Whether anything was asked for that is not at hand: what was concluded may be wrong.
  bool missed() const { return missed_; }

 private:
  std::uint64_t size_;
  std::vector<std::pair<std::uint64_t, std::string_view>> parts_;
  bool missed_ = false;
};

}  // namespace imgbuild::layers
