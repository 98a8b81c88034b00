#include "runtime/output.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>

#include "runtime/clock.h"

namespace imgbuild::runtime {
namespace {

constexpr int kWritesInARow = 32;

bool IsWritable(int fd) {
  pollfd waiter{fd, POLLOUT, 0};
  return poll(&waiter, 1, 0) > 0;
}

}  // namespace

void Output::Open() {
  format_ = LogFormatOf(shared_);
  writer_.Open();
}

int Output::fd(std::uint64_t now) const {
  return size_ > 0 && now >= retry_ms_ ? writer_.fd() : -1;
}

bool Output::Add(const char* text, std::size_t size) {
  if (size > Room()) return false;
  const std::size_t end = (begin_ + size_) % kSize;
  const std::size_t first = size < kSize - end ? size : kSize - end;
  memcpy(buffer_ + end, text, first);
  memcpy(buffer_, text + first, size - first);
  size_ += size;
  if (Room() >= kTight) return true;
  shut_ = shut_ || slow_;
  if (judged_) return true;
  judged_ = true;
  judge_ms_ = NowMs() + kPatienceMs;
  taken_ = 0;
  return true;
}

bool Output::AddLine(const LogSource& source, LogStream stream, const char* text,
                     std::size_t size) {
  struct Sink final : LogSink {
    explicit Sink(Output& to) : output(to) {}
    void Put(const char* bytes, std::size_t count) override { output.Add(bytes, count); }
    Output& output;
  };
  if (LineOverhead(format_, source) + size * ByteCost(format_) > Room()) return false;
  Sink sink(*this);
  FormatLine(format_, source, stream, text, size, sink);
  return true;
}

void Output::Take(std::size_t size) {
  begin_ = (begin_ + size) % kSize;
  size_ -= size;
  taken_ += size;
  if (size_ == 0) judged_ = slow_ = false;
  if (size_ <= kSize / 2) shut_ = false;
}

void Output::Flush(std::uint64_t now) {
  if (now < retry_ms_) return;
  for (int i = 0; i < kWritesInARow && size_ > 0; ++i) {
    if (!IsWritable(writer_.fd())) return;
    std::size_t chunk = kSize - begin_ < size_ ? kSize - begin_ : size_;
    if (chunk > PIPE_BUF) chunk = PIPE_BUF;
    const ssize_t written = writer_.Write(buffer_ + begin_, chunk);
    if (written < 0 && errno == EINTR) return;
    if (written < 0 && errno == EAGAIN) {
      retry_ms_ = now + kRetryMs;
      return;
    }
    Take(written > 0 ? static_cast<std::size_t>(written) : size_);
  }
}

bool Output::Drain(std::uint64_t milliseconds, std::uint64_t until) {
  std::uint64_t now = NowMs();
  std::uint64_t patience = now + milliseconds;
  while (size_ > 0 && now < until && now < patience) {
    pollfd waiter{fd(now), POLLOUT, 0};
    poll(&waiter, 1, 10);
    now = NowMs();
    const std::size_t before = size_;
    Flush(now);
    if (size_ < before) patience = now + milliseconds;
  }
  return size_ == 0;
}

std::uint64_t Output::due_ms(std::uint64_t now) const {
  const std::uint64_t judge = judged_ ? judge_ms_ : UINT64_MAX;
  return size_ > 0 && now < retry_ms_ && retry_ms_ < judge ? retry_ms_ : judge;
}

void Output::Tick(std::uint64_t now) {
  if (!judged_ || now < judge_ms_) return;
  slow_ = taken_ < kPace;
  shut_ = slow_ && (shut_ || Room() < kTight);
  judge_ms_ = now + kPatienceMs;
  taken_ = 0;
}

}  // namespace imgbuild::runtime
