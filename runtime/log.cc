#include "runtime/log.h"

#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace imgbuild::runtime {

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

void LineReader::Open(int fd, const LogSource* source, LogStream stream, const LogTarget& target) {
  fd_ = fd;
  source_ = source;
  stream_ = stream;
  target_ = target;
  dropping_ = false;
  dropped_ = 0;
  left_ = 0;
  size_ = 0;
}

void LineReader::Close() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

std::size_t LineReader::Appetite() const {
  const std::size_t space = kLongestLine - size_;
  if (target_.output == nullptr) return space;
  const LogFormat format = target_.output->format();
  const std::size_t cost = ByteCost(format);
  const std::size_t room = target_.output->Room();
  // The line that has begun, and one that says what was dropped.
  const std::size_t overhead = LineOverhead(format, *source_);
  const std::size_t taken = (size_ + 1) * cost + 2 * overhead + 200;
  if (room <= taken) return 0;
  const std::size_t lines = (room - taken) / (overhead + cost);
  return lines < space ? lines : space;
}

bool LineReader::WantsInput() const {
  return fd_ >= 0 && (Appetite() > 0 || target_.output->IsShut());
}

void LineReader::TellDropped() {
  if (dropped_ == 0 || dropping_) return;
  FixedText<120> text;
  text.Add("wrote ").Add(dropped_).Add(" lines that are not shown: the log was read too slowly");
  if (target_.output->AddLine(*source_, LogStream::kSupervisor, text.data(), text.size())) {
    dropped_ = 0;
  }
}

void LineReader::Emit(const char* line, std::size_t size) {
  target_.tail->Add(line, size);
  target_.tail->Add("\n", 1);
  if (target_.output == nullptr) return;
  TellDropped();
  if (dropping_) {
    ++dropped_;
  } else {
    target_.output->AddLine(*source_, stream_, line, size);
  }
}

bool LineReader::Read() {
  dropping_ = target_.output != nullptr && target_.output->IsShut();
  const std::size_t most = dropping_ ? kLongestLine - size_ : Appetite();
  if (fd_ < 0 || most == 0) return false;
  const ssize_t got = read(fd_, line_ + size_, most);
  if (got <= 0) return false;
  const std::size_t count = static_cast<std::size_t>(got);
  std::size_t begin = 0;
  std::size_t search = size_;  // what was there before has no newline
  size_ += count;
  while (const void* found = memchr(line_ + search, '\n', size_ - search)) {
    const std::size_t end = static_cast<std::size_t>(static_cast<const char*>(found) - line_);
    Emit(line_ + begin, end - begin);
    begin = end + 1;
    search = begin;
  }
  if (target_.file != nullptr) target_.file->Add(line_, begin);
  size_ -= begin;
  memmove(line_, line_ + begin, size_);
  const bool last = left_ > 0 && left_ <= count;
  left_ -= left_ < count ? left_ : count;
  if (last || size_ == kLongestLine) FinishLine();
  return true;
}

bool LineReader::HasInput() const {
  pollfd waiter{fd_, POLLIN, 0};
  return fd_ >= 0 && poll(&waiter, 1, 0) > 0 && (waiter.revents & POLLIN) != 0;
}

void LineReader::Finish(std::uint64_t now) {
  int waiting = 0;
  if (fd_ >= 0) ioctl(fd_, FIONREAD, &waiting);
  left_ = static_cast<std::size_t>(waiting);
  while (left_ > 0) {
    if (!WantsInput()) target_.output->Flush(now);
    if (!Read()) return;  // what is left is read when there is room
  }
  FinishLine();
  dropping_ = dropping_ && target_.output->IsShut();
  TellDropped();
}

void LineReader::FinishLine() {
  if (size_ == 0) return;
  Emit(line_, size_);
  line_[size_] = '\n';
  if (target_.file != nullptr) target_.file->Add(line_, size_ + 1);
  size_ = 0;
}

}  // namespace imgbuild::runtime
