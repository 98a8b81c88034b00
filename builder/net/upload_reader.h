// The body of a request, as a transfer asks for it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "builder/net/http_client.h"
#include "layers/io/file.h"

namespace imgbuild::builder {

class UploadReader {
 public:
  // Opens the file, if there is one. Throws Error where it cannot be read.
  explicit UploadReader(HttpUpload upload);

  // Of the whole body, in bytes.
  std::uint64_t size() const { return size_; }

  // The next bytes; 0 at the end. Throws Error where the file is shorter than it should be.
  std::size_t Read(std::span<char> buffer);
  bool AtEnd() const { return position_ >= size_; }
  // From the body's first byte.
  void Seek(std::uint64_t position) { position_ = position; }

 private:
  HttpUpload upload_;
  layers::FileDescriptor file_;
  std::uint64_t size_ = 0;
  std::uint64_t position_ = 0;
};

}  // namespace imgbuild::builder
