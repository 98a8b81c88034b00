// What services say.
#pragma once

#include <cstddef>
#include <cstdint>

#include "runtime/log_file.h"
#include "runtime/log_format.h"
#include "runtime/output.h"
#include "runtime/text.h"

namespace imgbuild::runtime {

// The last that a service said, for whoever asks later.
class LogTail {
 public:
  void Clear() {
    end_ = 0;
    full_ = false;
  }
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

// Where the lines of a service go: what there is of it is borrowed.
struct LogTarget {
  Output* output = nullptr;
  LogFile* file = nullptr;
  LogTail* tail = nullptr;  // always there
};

// The lines that one service writes to one of its descriptors.
class LineReader {
 public:
  // `source` is borrowed; `target` may be shared by several.
  void Open(int fd, const LogSource* source, LogStream stream, const LogTarget& target);
  void Close();
  int fd() const { return fd_; }
  // False while the output has too little room: then the pipe fills, and the service waits; but not
  // for ever, since lines are dropped while the output is shut.
  bool WantsInput() const;
  // Reads once what is there; false where nothing was. Lines over 8 kB are split.
  bool Read();
  // The writer is gone: reads what it left, as far as there is room, and Read() the rest. A last
  // line without its newline is passed on then. Others may hold the descriptor, and write on.
  void Finish(std::uint64_t now);
  // Something has been written and not been read.
  bool HasInput() const;

 private:
  static constexpr std::size_t kLongestLine = 8 * 1024;

  // How many bytes may be read now so that, were each a line of its own, all would find room.
  std::size_t Appetite() const;
  void Emit(const char* line, std::size_t size);
  void TellDropped();
  void FinishLine();

  int fd_ = -1;
  std::size_t left_ = 0;  // that a writer which is gone left in the pipe
  const LogSource* source_ = nullptr;
  LogStream stream_ = LogStream::kOut;
  LogTarget target_;
  bool dropping_ = false;
  std::uint64_t dropped_ = 0;  // lines
  std::size_t size_ = 0;
  char line_[kLongestLine + 1];  // and its newline
};

}  // namespace imgbuild::runtime
