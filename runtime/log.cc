#include "runtime/log.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

namespace imgbuild::runtime {

bool Output::Add(const char* text, std::size_t size) {
  if (size > Room()) return false;
  memcpy(buffer_ + size_, text, size);
  size_ += size;
  return true;
}

void Output::Flush() {
  if (size_ == 0) return;
  const std::size_t chunk = size_ < PIPE_BUF ? size_ : PIPE_BUF;
  ssize_t written = write(fd_, buffer_, chunk);
  if (written < 0 && (errno == EAGAIN || errno == EINTR)) return;
  const std::size_t gone = written > 0 ? static_cast<std::size_t>(written) : size_;
  size_ -= gone;
  memmove(buffer_, buffer_ + gone, size_);
}

void Output::Drain(int milliseconds) {
  while (size_ > 0 && milliseconds > 0) {
    pollfd waiter{fd_, POLLOUT, 0};
    if (poll(&waiter, 1, 10) == 0) {
      milliseconds -= 10;
      continue;
    }
    Flush();
  }
}

void LogTail::Add(const char* text, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) {
    bytes_[end_++] = text[i];
    if (end_ < kSize) continue;
    end_ = 0;
    full_ = true;
  }
}

void LineReader::Open(int fd, const char* name, Output* output, LogTail* tail) {
  fd_ = fd;
  tail_ = tail;
  prefix_.Clear();
  prefix_.Add("[").Add(name).Add("] ");
  output_ = output;
  size_ = 0;
}

std::size_t LineReader::Appetite() const {
  const std::size_t lines = output_->Room() / (prefix_.size() + 2);
  const std::size_t room = lines > size_ + 1 ? lines - size_ - 1 : 0;
  const std::size_t space = sizeof(line_) - size_;
  return room < space ? room : space;
}

void LineReader::Emit(const char* line, std::size_t size) {
  output_->Add(prefix_.data(), prefix_.size());
  output_->Add(line, size);
  output_->Add("\n", 1);
  tail_->Add(line, size);
  tail_->Add("\n", 1);
}

void LineReader::Read() {
  while (WantsInput()) {
    ssize_t got = read(fd_, line_ + size_, Appetite());
    if (got <= 0) return;
    size_ += static_cast<std::size_t>(got);
    std::size_t begin = 0;
    while (const void* found = memchr(line_ + begin, '\n', size_ - begin)) {
      const std::size_t end = static_cast<std::size_t>(static_cast<const char*>(found) - line_);
      Emit(line_ + begin, end - begin);
      begin = end + 1;
    }
    size_ -= begin;
    memmove(line_, line_ + begin, size_);
    if (size_ == sizeof(line_)) {
      Emit(line_, size_);
      size_ = 0;
    }
  }
}

void LineReader::FinishLine() {
  if (size_ > 0) Emit(line_, size_);
  size_ = 0;
}

}  // namespace imgbuild::runtime
