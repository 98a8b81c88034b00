// Bounded text in fixed buffers: nothing here allocates.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace imgbuild::runtime {

// Whether both are the same text.
inline bool Is(const char* a, const char* b) { return std::strcmp(a, b) == 0; }

// Appends up to its capacity; what does not fit is cut. Always ends in a zero byte.
template <std::size_t Capacity>
class FixedText {
 public:
  // Leaves the rest of a large one untouched.
  FixedText() { data_[0] = '\0'; }
  FixedText& Add(const char* text) { return Add(text, std::strlen(text)); }
  FixedText& Add(const char* text, std::size_t size) {
    if (size > Capacity - size_) {
      size = Capacity - size_;
      cut_ = true;
    }
    std::memcpy(data_ + size_, text, size);
    size_ += size;
    data_[size_] = '\0';
    return *this;
  }
  FixedText& Add(std::uint64_t number) {
    char digits[20];
    std::size_t count = 0;
    do {
      digits[count++] = static_cast<char>('0' + number % 10);
      number /= 10;
    } while (number != 0);
    while (count > 0) Add(&digits[--count], 1);
    return *this;
  }

  const char* data() const { return data_; }
  std::size_t size() const { return size_; }
  bool cut() const { return cut_; }
  void Clear() {
    size_ = 0;
    cut_ = false;
    data_[0] = '\0';
  }

 private:
  char data_[Capacity + 1];
  std::size_t size_ = 0;
  bool cut_ = false;
};

}  // namespace imgbuild::runtime
