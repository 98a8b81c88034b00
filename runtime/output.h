// What goes out of the container, without ever blocking on whoever reads it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "runtime/log_format.h"
#include "runtime/writer.h"

namespace imgbuild::runtime {

// One output of the container (descriptor 1 or 2) with a ring of bytes before it.
//
// A ring that is nearly full makes services wait, as a pipe would, as long as its reader takes
// kPace in each kPatienceMs. With a slower one it is shut: what services say is dropped until half
// of the ring has been read, and again whenever it is full, so that nobody waits any more. A reader
// that has read all, or took kPace since, is waited for anew.
class Output {
 public:
  explicit Output(int fd) : shared_(fd), writer_(fd) {}

  // Chooses the form of lines and the way to write.
  void Open();
  LogFormat format() const { return format_; }
  // The descriptor that was given.
  int shared() const { return shared_; }
  // What to poll for POLLOUT; -1: nothing, for now.
  int fd(std::uint64_t now) const;
  std::size_t Room() const { return kSize - size_; }
  bool IsShut() const { return shut_; }

  // Takes all or, if there is no room, nothing.
  bool Add(const char* text, std::size_t size);
  // A whole line in the form of this output; false where there is no room for it.
  bool AddLine(const LogSource& source, LogStream stream, const char* text, std::size_t size);
  // Writes what the reader has room for; what is pending when the descriptor is broken is dropped.
  void Flush(std::uint64_t now);
  // Waits for the reader to take what is pending: no longer than `milliseconds` in which it takes
  // nothing, and not beyond `until`. False where something is left.
  bool Drain(std::uint64_t milliseconds, std::uint64_t until);
  // Judges the reader.
  void Tick(std::uint64_t now);
  // When Tick wants to be called, or fd() to be polled again; UINT64_MAX: no time.
  std::uint64_t due_ms(std::uint64_t now) const;

 private:
  static constexpr std::size_t kSize = 256 * 1024;
  // Less room than this is too little for a line of the largest size in the widest form.
  static constexpr std::size_t kTight = 64 * 1024;
  static constexpr std::size_t kPace = 1024 * 1024;
  static constexpr std::uint64_t kPatienceMs = 1'000;
  static constexpr std::uint64_t kRetryMs = 20;

  void Take(std::size_t size);

  int shared_;
  Writer writer_;
  LogFormat format_ = LogFormat::kPlain;
  std::size_t begin_ = 0;
  std::size_t size_ = 0;
  std::uint64_t retry_ms_ = 0;  // not polled before
  // The reader is being judged since the ring was nearly full, until it is empty.
  bool judged_ = false;
  std::uint64_t judge_ms_ = 0;  // the end of this turn
  std::size_t taken_ = 0;       // in this turn
  bool slow_ = false;           // in the last turn
  bool shut_ = false;
  char buffer_[kSize];
};

}  // namespace imgbuild::runtime
