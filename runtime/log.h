// What the supervisor and its services say, without ever blocking on whoever reads it.
#pragma once

#include <cstddef>

#include "runtime/text.h"

namespace imgbuild::runtime {

// One output of the container (descriptor 1 or 2) with a buffer before it. Descriptors are shared
// with others, so O_NONBLOCK is not ours to set: at most PIPE_BUF bytes are written, and only when
// poll() said that there is room.
class Output {
 public:
  explicit Output(int fd) : fd_(fd) {}

  int fd() const { return fd_; }
  bool HasPending() const { return size_ > 0; }
  std::size_t Room() const { return sizeof(buffer_) - size_; }
  // Takes all or, if there is no room, nothing.
  bool Add(const char* text, std::size_t size);
  // Call when poll() reports the descriptor writable, or broken: then what is pending is dropped.
  void Flush();
  // Waits up to `milliseconds` in all for the reader to take what is pending.
  void Drain(int milliseconds);

 private:
  int fd_;
  std::size_t size_ = 0;
  char buffer_[128 * 1024];
};

// The last that a service said, for whoever asks later.
class LogTail {
 public:
  void Add(const char* text, std::size_t size);
  // From the first whole line on.
  template <typename Text>
  void AddTo(Text& text) const {
    if (!full_) {
      text.Add(bytes_, end_);
      return;
    }
    std::size_t begin = 0;
    while (begin < kSize && At(begin) != '\n') ++begin;
    for (std::size_t i = begin + 1; i < kSize; ++i) {
      const char byte = At(i);
      text.Add(&byte, 1);
    }
  }

 private:
  static constexpr std::size_t kSize = 32 * 1024;

  char At(std::size_t i) const { return bytes_[(end_ + i) % kSize]; }

  std::size_t end_ = 0;  // where the next byte goes
  bool full_ = false;
  char bytes_[kSize];
};

// The lines that one service writes to one of its descriptors, each with "[name] " before it.
class LineReader {
 public:
  // `tail` may be shared by several.
  void Open(int fd, const char* name, Output* output, LogTail* tail);
  int fd() const { return fd_; }
  // False while the output has too little room: then the pipe fills, and the service waits.
  bool WantsInput() const { return fd_ >= 0 && Appetite() > 0; }
  // Reads what is there. Lines over 8 kB are split.
  void Read();
  // Passes on an unfinished last line.
  void FinishLine();

 private:
  // How many bytes may be read now so that, were each a line of its own, all would find room.
  std::size_t Appetite() const;
  void Emit(const char* line, std::size_t size);

  int fd_ = -1;
  FixedText<80> prefix_;
  Output* output_ = nullptr;
  LogTail* tail_ = nullptr;
  std::size_t size_ = 0;
  char line_[8 * 1024];
};

}  // namespace imgbuild::runtime
