#include "builder/net/upload_reader.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include "specs/base/error.h"

namespace imgbuild::builder {

UploadReader::UploadReader(HttpUpload upload)
    : upload_(std::move(upload)),
      size_(upload_.file.empty() ? upload_.bytes.size() : upload_.size) {
  if (upload_.file.empty()) return;
  file_ = layers::FileDescriptor(::open(upload_.file.c_str(), O_RDONLY | O_CLOEXEC));
  if (file_.get() < 0) {
    throw specs::Error("cannot read " + upload_.file.string()).Found(std::strerror(errno));
  }
}

std::size_t UploadReader::Read(std::span<char> buffer) {
  const std::uint64_t left = size_ - std::min(size_, position_);
  const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(left, buffer.size()));
  if (wanted == 0) return 0;
  std::size_t count = wanted;
  if (upload_.file.empty()) {
    std::memcpy(buffer.data(), upload_.bytes.data() + position_, wanted);
  } else {
    ssize_t got = 0;
    do {
      got = ::pread(file_.get(), buffer.data(), wanted,
                    static_cast<off_t>(upload_.offset + position_));
    } while (got < 0 && errno == EINTR);
    if (got <= 0) {
      throw specs::Error("cannot read " + upload_.file.string())
          .Found(got < 0 ? std::strerror(errno) : "the file ends too early");
    }
    count = static_cast<std::size_t>(got);
  }
  position_ += count;
  if (upload_.progress) upload_.progress(position_);
  return count;
}

}  // namespace imgbuild::builder
