#include "layers/io/atomic_file.h"

#include <cerrno>
#include <random>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <stdio.h>
#include <unistd.h>

namespace imgbuild::layers {
namespace {

namespace fs = std::filesystem;

// Not mkstemp: the file shall have the rights that the umask leaves of `mode`.
FileSink OpenTemporary(const fs::path& directory, std::uint32_t mode) {
  std::random_device random;
  for (;;) {
    std::uint64_t number = static_cast<std::uint64_t>(random()) << 32 | random();
    fs::path path = directory / fmt::format("{}{:016x}", kTemporaryPrefix, number);
    int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd >= 0) return FileSink(FileDescriptor(fd), std::move(path));
    if (errno != EEXIST && errno != EINTR) throw FileError("write", path, errno);
  }
}

}  // namespace

AtomicFile::AtomicFile(const fs::path& directory, std::uint32_t mode)
    : sink_(OpenTemporary(directory.empty() ? fs::path(".") : directory, mode)) {}

AtomicFile::~AtomicFile() {
  if (sink_) ::unlink(sink_->path().c_str());
}

void AtomicFile::Write(std::span<const std::byte> bytes) { sink_->Write(bytes); }

void AtomicFile::Restart() { sink_->Rewind(); }

void AtomicFile::Publish(const fs::path& target) {
  sink_->Sync();
  Rename(target);
}

void AtomicFile::PublishUnsynced(const fs::path& target) { Rename(target); }

void AtomicFile::Rename(const fs::path& target) {
  sink_->Close();
  if (::rename(sink_->path().c_str(), target.c_str()) != 0) {
    throw FileError("write", target, errno);
  }
  sink_.reset();
}

void SyncFileSystem(const fs::path& path) {
  FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid() || ::syncfs(fd.get()) != 0) throw FileError("sync", path, errno);
}

void WriteFileAtomically(const fs::path& target, std::string_view bytes, std::uint32_t mode) {
  AtomicFile file(target.parent_path(), mode);
  file.Write(bytes);
  file.Publish(target);
}

}  // namespace imgbuild::layers
