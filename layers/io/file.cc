#include "layers/io/file.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "specs/base/text.h"

namespace imgbuild::layers {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kWriteback = 32u << 20;
constexpr std::size_t kBufferSize = 128 * 1024;
// Of one write. Larger ones were copied several times as slowly by Linux 6.18 (ext4): 1.2 GB,
// hashed on the way, took 2.0 to 3.6 s of a processor in writes of 8 MiB, and 0.8 s in writes of 64
// KiB to 1 MiB.
constexpr std::size_t kMostAtOnce = 256 * 1024;

std::string HintFor(int error_number) {
  switch (error_number) {
    case ENOSPC:
      return "the disk is full: free some space, or point XDG_CACHE_HOME to another disk";
    case EDQUOT:
      return "the disk quota is used up: free some space, or point XDG_CACHE_HOME elsewhere";
    case EROFS:
      return "the file system is read-only";
    case EACCES:
    case EPERM:
      return "check the permissions of the file and of the folders above it";
    case EMFILE:
    case ENFILE:
      return "too many files are open: raise the limit (ulimit -n)";
    default:
      return "";
  }
}

FileDescriptor Open(const fs::path& path, int flags, mode_t mode, std::string_view what) {
  int fd = -1;
  do {
    fd = ::open(path.c_str(), flags | O_CLOEXEC, mode);
  } while (fd < 0 && errno == EINTR);
  if (fd < 0) throw FileError(what, path, errno);
  return FileDescriptor(fd);
}

// Opens for reading and makes sure that it is a regular file: a FIFO or device would never end.
FileDescriptor OpenRegular(const fs::path& path, std::uint64_t& size) {
  FileDescriptor fd = Open(path, O_RDONLY | O_NONBLOCK, 0, "read");
  struct stat status;
  if (::fstat(fd.get(), &status) != 0) throw FileError("read", path, errno);
  if (S_ISDIR(status.st_mode)) throw FileError("read", path, EISDIR);
  if (!S_ISREG(status.st_mode)) {
    throw specs::Error(fmt::format("cannot read {}: not a regular file", path.string()));
  }
  size = static_cast<std::uint64_t>(status.st_size);
  return fd;
}

}  // namespace

specs::Error FileError(std::string_view what, const fs::path& path, int error_number) {
  std::string reason = std::generic_category().message(error_number);
  return specs::Error(fmt::format("cannot {} {}: {}", what, path.string(), reason))
      .Hint(HintFor(error_number));
}

FileDescriptor& FileDescriptor::operator=(FileDescriptor&& other) noexcept {
  if (this != &other) {
    Reset();
    fd_ = other.Release();
  }
  return *this;
}

int FileDescriptor::Release() { return std::exchange(fd_, -1); }

void FileDescriptor::Reset() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

FileSource::FileSource(fs::path path) : path_(std::move(path)), fd_(OpenRegular(path_, size_)) {
  ::posix_fadvise(fd_.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
}

FileSource::FileSource(fs::path path, std::uint64_t offset, std::uint64_t size)
    : FileSource(std::move(path)) {
  rest_ = size;
  if (::lseek(fd_.get(), static_cast<off_t>(offset), SEEK_SET) < 0) {
    throw FileError("read", path_, errno);
  }
}

std::size_t FileSource::Read(std::span<std::byte> buffer) {
  for (;;) {
    const std::size_t wanted = std::min<std::uint64_t>(buffer.size(), rest_);
    ssize_t size = ::read(fd_.get(), buffer.data(), wanted);
    if (size >= 0) {
      rest_ -= static_cast<std::uint64_t>(size);
      return static_cast<std::size_t>(size);
    }
    if (errno != EINTR) throw FileError("read", path_, errno);
  }
}

FileSink::FileSink(fs::path path, std::uint32_t mode)
    : path_(std::move(path)), fd_(Open(path_, O_WRONLY | O_CREAT | O_TRUNC, mode, "write")) {}

FileSink::FileSink(FileDescriptor fd, fs::path path) : path_(std::move(path)), fd_(std::move(fd)) {}

void FileSink::Write(std::span<const std::byte> bytes) {
  if (buffer_.size() + bytes.size() > kBufferSize) Flush();
  if (bytes.size() >= kBufferSize) {
    WriteThrough(bytes);
  } else {
    buffer_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
}

void FileSink::Flush() {
  WriteThrough(std::as_bytes(std::span(buffer_)));
  buffer_.clear();
}

void FileSink::WriteThrough(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    ssize_t size = ::write(fd_.get(), bytes.data(), std::min(bytes.size(), kMostAtOnce));
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) throw FileError("write", path_, errno);
    bytes = bytes.subspan(static_cast<std::size_t>(size));
    written_ += static_cast<std::uint64_t>(size);
  }
  // A large file is on its way to the disk while it is written, so that syncing it waits little.
  // Where this is not possible nothing is lost.
  if (written_ - begun_ < kWriteback) return;
  ::sync_file_range(fd_.get(), static_cast<off64_t>(begun_),
                    static_cast<off64_t>(written_ - begun_), SYNC_FILE_RANGE_WRITE);
  begun_ = written_;
}

void FileSink::Sync() {
  Flush();
  // Pipes and some file systems cannot sync; there is nothing to lose there.
  if (::fsync(fd_.get()) != 0 && errno != EINVAL && errno != EROFS) {
    throw FileError("write", path_, errno);
  }
}

void FileSink::Rewind() {
  buffer_.clear();
  written_ = begun_ = 0;
  if (::ftruncate(fd_.get(), 0) != 0 || ::lseek(fd_.get(), 0, SEEK_SET) != 0) {
    throw FileError("write", path_, errno);
  }
}

void FileSink::Close() {
  Flush();
  // Linux frees the descriptor even where close fails, so it is never closed twice.
  if (::close(fd_.Release()) != 0 && errno != EINTR) throw FileError("write", path_, errno);
}

MappedFile::MappedFile(const fs::path& path) {
  std::uint64_t size = 0;
  FileDescriptor fd = OpenRegular(path, size);
  if (size == 0) return;
  void* address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd.get(), 0);
  if (address == MAP_FAILED) throw FileError("map", path, errno);
  bytes_ = std::string_view(static_cast<const char*>(address), size);
}

MappedFile::~MappedFile() {
  if (!bytes_.empty()) ::munmap(const_cast<char*>(bytes_.data()), bytes_.size());
}

MappedFile::MappedFile(MappedFile&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(bytes_, other.bytes_);
  return *this;
}

void MappedFile::Forget(std::string_view part) const {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const std::size_t begin = static_cast<std::size_t>(part.data() - bytes_.data()) / page * page;
  const std::size_t end = static_cast<std::size_t>(part.data() - bytes_.data()) + part.size();
  if (begin >= end) return;
  ::madvise(const_cast<char*>(bytes_.data()) + begin, end - begin, MADV_DONTNEED);
}

std::string ReadFile(const fs::path& path, std::uint64_t limit) {
  std::uint64_t size = 0;
  FileDescriptor fd = OpenRegular(path, size);
  if (size > limit) {
    throw specs::Error(fmt::format("{} is too large", path.string()))
        .Found(specs::HumanBytes(size))
        .Expected("at most " + specs::HumanBytes(limit));
  }
  std::string text(size, '\0');
  std::size_t filled = 0;
  while (filled < text.size()) {
    ssize_t count = ::read(fd.get(), text.data() + filled, text.size() - filled);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw FileError("read", path, errno);
    if (count == 0) break;
    filled += static_cast<std::size_t>(count);
  }
  text.resize(filled);
  return text;
}

}  // namespace imgbuild::layers
