// What the supervisor and its services say, without ever blocking on whoever reads it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "runtime/log_format.h"
#include "runtime/text.h"

namespace imgbuild::runtime {

// One output of the container (descriptor 1 or 2) with a ring of bytes before it. Descriptors are
// shared with others, so O_NONBLOCK is not ours to set: at most PIPE_BUF bytes are written at once,
// and only when poll() said that there is room.
class Output {
 public:
  explicit Output(int fd) : fd_(fd) {}

  // Chooses the form of lines.
  void Open() { format_ = LogFormatOf(fd_); }
  LogFormat format() const { return format_; }
  int fd() const { return fd_; }
  bool HasPending() const { return size_ > 0; }
  std::size_t Room() const { return kSize - size_; }
  // Nobody took anything for a while, although there was something to take.
  bool IsStuck(std::uint64_t now) const { return now >= stuck_ms(); }
  // When that will be so; UINT64_MAX: nothing is pending.
  std::uint64_t stuck_ms() const;

  // Takes all or, if there is no room, nothing.
  bool Add(const char* text, std::size_t size);
  // A whole line in the form of this output; none where there is no room for it.
  void AddLine(const LogSource& source, LogStream stream, const char* text, std::size_t size);
  // Writes what the reader has room for; what is pending when the descriptor is broken is dropped.
  void Flush(std::uint64_t now);
  // Waits for the reader to take what is pending, up to `milliseconds` in which it takes nothing.
  // False where something is left.
  bool Drain(int milliseconds);

 private:
  static constexpr std::size_t kSize = 256 * 1024;

  int fd_;
  LogFormat format_ = LogFormat::kPlain;
  std::size_t begin_ = 0;
  std::size_t size_ = 0;
  std::uint64_t taken_ms_ = 0;  // when something was taken last, or there was nothing to take
  char buffer_[kSize];
};

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

// The lines that one service writes to one of its descriptors.
class LineReader {
 public:
  // `source` and `tail` are borrowed, and may be shared by several.
  void Open(int fd, const LogSource* source, LogStream stream, Output* output, LogTail* tail);
  void Close();
  int fd() const { return fd_; }
  // False while the output has too little room: then the pipe fills, and the service waits; but not
  // for ever, since lines are dropped while the output is stuck.
  bool WantsInput(std::uint64_t now) const;
  // Reads once what is there. Lines over 8 kB are split.
  void Read(std::uint64_t now);
  // The writer is gone: reads what there is room for. A last line without its newline is passed on
  // once all has been read.
  void Finish(std::uint64_t now);
  // Something has been written and not been read.
  bool HasInput() const;

 private:
  // How many bytes may be read now so that, were each a line of its own, all would find room.
  std::size_t Appetite() const;
  void Emit(const char* line, std::size_t size);
  void FinishLine();

  int fd_ = -1;
  bool finishing_ = false;
  const LogSource* source_ = nullptr;
  LogStream stream_ = LogStream::kOut;
  Output* output_ = nullptr;
  LogTail* tail_ = nullptr;
  bool dropping_ = false;
  std::uint64_t dropped_ = 0;  // lines
  std::size_t size_ = 0;
  char line_[8 * 1024];
};

}  // namespace imgbuild::runtime
