#include "runtime/log.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "runtime/clock.h"

namespace imgbuild::runtime {
namespace {

constexpr std::uint64_t kPatienceMs = 1'000;
constexpr int kWritesInARow = 32;

bool IsWritable(int fd) {
  pollfd waiter{fd, POLLOUT, 0};
  return poll(&waiter, 1, 0) > 0;
}

}  // namespace

std::uint64_t Output::stuck_ms() const { return size_ > 0 ? taken_ms_ + kPatienceMs : UINT64_MAX; }

bool Output::Add(const char* text, std::size_t size) {
  if (size > Room()) return false;
  if (size_ == 0) taken_ms_ = NowMs();
  const std::size_t end = (begin_ + size_) % kSize;
  const std::size_t first = size < kSize - end ? size : kSize - end;
  memcpy(buffer_ + end, text, first);
  memcpy(buffer_, text + first, size - first);
  size_ += size;
  return true;
}

void Output::AddLine(const LogSource& source, LogStream stream, const char* text,
                     std::size_t size) {
  struct Sink final : LogSink {
    explicit Sink(Output& to) : output(to) {}
    void Put(const char* bytes, std::size_t count) override { output.Add(bytes, count); }
    Output& output;
  };
  if (LineOverhead(format_, source) + size * ByteCost(format_) > Room()) return;
  Sink sink(*this);
  FormatLine(format_, source, stream, text, size, sink);
}

void Output::Flush(std::uint64_t now) {
  for (int i = 0; i < kWritesInARow && size_ > 0; ++i) {
    if (!IsWritable(fd_)) return;
    std::size_t chunk = kSize - begin_ < size_ ? kSize - begin_ : size_;
    if (chunk > PIPE_BUF) chunk = PIPE_BUF;
    const ssize_t written = write(fd_, buffer_ + begin_, chunk);
    if (written < 0 && (errno == EAGAIN || errno == EINTR)) return;
    const std::size_t gone = written > 0 ? static_cast<std::size_t>(written) : size_;
    begin_ = (begin_ + gone) % kSize;
    size_ -= gone;
    taken_ms_ = now;
  }
}

bool Output::Drain(int milliseconds) {
  for (int waited = 0; size_ > 0 && waited < milliseconds;) {
    pollfd waiter{fd_, POLLOUT, 0};
    if (poll(&waiter, 1, 10) == 0) {
      waited += 10;
      continue;
    }
    waited = 0;
    Flush(NowMs());
  }
  return size_ == 0;
}

void LogTail::Add(const char* text, std::size_t size) {
  if (size > kSize) {
    text += size - kSize;
    size = kSize;
  }
  const std::size_t first = size < kSize - end_ ? size : kSize - end_;
  memcpy(bytes_ + end_, text, first);
  memcpy(bytes_, text + first, size - first);
  full_ = full_ || end_ + size >= kSize;
  end_ = (end_ + size) % kSize;
}

void LineReader::Open(int fd, const LogSource* source, LogStream stream, Output* output,
                      LogTail* tail) {
  fd_ = fd;
  source_ = source;
  stream_ = stream;
  output_ = output;
  tail_ = tail;
  dropping_ = false;
  dropped_ = 0;
  finishing_ = false;
  size_ = 0;
}

void LineReader::Close() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

std::size_t LineReader::Appetite() const {
  const std::size_t space = sizeof(line_) - size_;
  const std::size_t cost = ByteCost(output_->format());
  const std::size_t room = output_->Room();
  // The line that has begun, and one that says what was dropped.
  const std::size_t overhead = LineOverhead(output_->format(), *source_);
  const std::size_t taken = (size_ + 1) * cost + 2 * overhead + 200;
  if (room <= taken) return 0;
  const std::size_t lines = (room - taken) / (overhead + cost);
  return lines < space ? lines : space;
}

bool LineReader::WantsInput(std::uint64_t now) const {
  return fd_ >= 0 && (Appetite() > 0 || output_->IsStuck(now));
}

void LineReader::Emit(const char* line, std::size_t size) {
  tail_->Add(line, size);
  tail_->Add("\n", 1);
  if (dropping_) {
    ++dropped_;
    return;
  }
  if (dropped_ > 0) {
    FixedText<120> text;
    text.Add("wrote ").Add(dropped_).Add(" lines that are not shown: nobody read the log");
    output_->AddLine(*source_, LogStream::kSupervisor, text.data(), text.size());
    dropped_ = 0;
  }
  output_->AddLine(*source_, stream_, line, size);
}

void LineReader::Read(std::uint64_t now) {
  const std::size_t appetite = Appetite();
  dropping_ = appetite == 0 && output_->IsStuck(now);
  const std::size_t most = dropping_ ? sizeof(line_) - size_ : appetite;
  if (fd_ < 0 || most == 0) return;
  const ssize_t got = read(fd_, line_ + size_, most);
  if (got <= 0) return;
  std::size_t begin = 0;
  std::size_t search = size_;  // what was there before has no newline
  size_ += static_cast<std::size_t>(got);
  while (const void* found = memchr(line_ + search, '\n', size_ - search)) {
    const std::size_t end = static_cast<std::size_t>(static_cast<const char*>(found) - line_);
    Emit(line_ + begin, end - begin);
    begin = end + 1;
    search = begin;
  }
  size_ -= begin;
  memmove(line_, line_ + begin, size_);
  if (size_ == sizeof(line_)) {
    Emit(line_, size_);
    size_ = 0;
  }
  if (finishing_ && !HasInput()) FinishLine();
}

bool LineReader::HasInput() const {
  pollfd waiter{fd_, POLLIN, 0};
  return fd_ >= 0 && poll(&waiter, 1, 0) > 0 && (waiter.revents & POLLIN) != 0;
}

void LineReader::Finish(std::uint64_t now) {
  finishing_ = true;
  while (HasInput()) {
    if (!WantsInput(now)) output_->Flush(now);
    if (!WantsInput(now)) return;  // Read() goes on
    Read(now);
  }
  FinishLine();
}

void LineReader::FinishLine() {
  finishing_ = false;
  if (size_ > 0) Emit(line_, size_);
  size_ = 0;
}

}  // namespace imgbuild::runtime
