// The log of a service beside a foreground command, whose terminal is not for it.
#pragma once

#include <cstddef>

#include "runtime/text.h"

namespace imgbuild::runtime {

// A file that others may read while it grows. When it has its size it becomes PATH.1, in place of
// the one before, so that both together are bounded. A disk that is full costs lines, and nothing
// else.
class LogFile {
 public:
  // Appends to what is there.
  void Open(const char* path);
  void Close();
  // Whole lines, with their newlines.
  void Add(const char* lines, std::size_t size);

 private:
  static constexpr std::size_t kMost = 4 * 1024 * 1024;

  void OpenFile();

  FixedText<300> path_;
  int fd_ = -1;
  std::size_t size_ = 0;
};

}  // namespace imgbuild::runtime
