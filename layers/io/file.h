// Files on disk (POSIX.1-2017): every failure is an Error that names the path and the reason.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "layers/io/stream.h"
#include "specs/base/error.h"

namespace imgbuild::layers {

// "cannot WHAT PATH: REASON" for an errno value; a full disk, a read-only file system and missing
// rights carry a hint. `what` is a verb: "write", "open for reading".
specs::Error FileError(std::string_view what, const std::filesystem::path& path, int error_number);

// An open descriptor that closes itself.
class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int fd) : fd_(fd) {}
  ~FileDescriptor() { Reset(); }
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(other.Release()) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept;

  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  int Release();
  void Reset();

 private:
  int fd_ = -1;
};

// Reads a regular file from its beginning, or `size` bytes of it from `offset` on.
class FileSource : public Source {
 public:
  explicit FileSource(std::filesystem::path path);
  FileSource(std::filesystem::path path, std::uint64_t offset, std::uint64_t size);
  std::size_t Read(std::span<std::byte> buffer) override;
  // Of the file, when it was opened.
  std::uint64_t size() const { return size_; }

 private:
  std::filesystem::path path_;
  std::uint64_t size_ = 0;  // before fd_: set while that is opened
  FileDescriptor fd_;
  std::uint64_t rest_ = ~0ull;  // that may still be read
};

// Creates or truncates a file. Small writes are gathered. Nothing is certain to be in the file
// before Close returned; without Close the rest of the buffer is dropped (an abandoned file).
class FileSink : public Sink {
 public:
  explicit FileSink(std::filesystem::path path, std::uint32_t mode = 0644);
  // Takes over a descriptor open for writing; `path` is for messages.
  FileSink(FileDescriptor fd, std::filesystem::path path);

  using Sink::Write;
  void Write(std::span<const std::byte> bytes) override;
  void Flush();
  // Flush and fsync.
  void Sync();
  // Empties the file; writing goes on at its beginning.
  void Rewind();
  // Flush and close; once, last.
  void Close();
  const std::filesystem::path& path() const { return path_; }

 private:
  void WriteThrough(std::span<const std::byte> bytes);

  std::filesystem::path path_;
  FileDescriptor fd_;
  std::uint64_t written_ = 0;
  std::uint64_t begun_ = 0;  // of these, how many the kernel was told to write to the disk
  std::string buffer_;
};

// A regular file's bytes, mapped read-only. The view lives as long as the object. The file must
// not be truncated meanwhile (files in the store never are).
class MappedFile {
 public:
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;

  std::string_view bytes() const { return bytes_; }
  // This process's pages of a part of bytes() may go: they count as its memory while mapped, and
  // come back, from the file, where the part is read again.
  void Forget(std::string_view part) const;

 private:
  std::string_view bytes_;
};

// The whole file. Files in /proc and the like, which have no size, read as empty. An Error when it
// is larger than `limit` bytes.
std::string ReadFile(const std::filesystem::path& path, std::uint64_t limit = 1ull << 30);

}  // namespace imgbuild::layers
