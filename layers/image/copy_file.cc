#include "layers/image/copy_file.h"

#include <cerrno>
#include <cstdint>
#include <system_error>

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "layers/io/file.h"

namespace imgbuild::layers {
namespace {

namespace fs = std::filesystem;

bool Reflink(const fs::path& from, const fs::path& to) {
  const FileDescriptor source(open(from.c_str(), O_RDONLY | O_CLOEXEC));
  const FileDescriptor target(open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (source.valid() && target.valid() && ioctl(target.get(), FICLONE, source.get()) == 0 &&
      fsync(target.get()) == 0) {
    return true;
  }
  unlink(to.c_str());
  return false;
}

bool Link(const fs::path& from, const fs::path& to) {
  if (link(from.c_str(), to.c_str()) != 0) return false;
  const FileDescriptor file(open(to.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.valid() && fsync(file.get()) == 0) return true;
  unlink(to.c_str());
  return false;
}

// What took no copying is there at once.
void TellWhole(const fs::path& file, WriteMeter* meter) {
  std::error_code error;
  const std::uintmax_t size = fs::file_size(file, error);
  if (meter != nullptr && !error) meter->Advance(size);
}

void Copy(const fs::path& from, const fs::path& to, WriteMeter* meter) {
  const FileDescriptor source(open(from.c_str(), O_RDONLY | O_CLOEXEC));
  if (!source.valid()) throw FileError("open", from, errno);
  const FileDescriptor target(open(to.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!target.valid()) throw FileError("create", to, errno);
  constexpr std::size_t kChunk = 16u << 20;
  ssize_t copied;
  off64_t begun = 0;  // to be written to the disk, while the rest is copied
  while ((copied = copy_file_range(source.get(), nullptr, target.get(), nullptr, kChunk, 0)) > 0) {
    sync_file_range(target.get(), begun, copied, SYNC_FILE_RANGE_WRITE);
    begun += copied;
    if (meter != nullptr) meter->Advance(static_cast<std::uint64_t>(copied));
  }
  if (copied == 0) {
    if (fsync(target.get()) != 0) throw FileError("write", to, errno);
    return;
  }
  const int reason = errno;
  if (reason != EXDEV && reason != EINVAL && reason != ENOSYS && reason != EOPNOTSUPP) {
    throw FileError("write", to, reason);
  }
  FileSource reader(from);  // another file system
  FileSink writer(to);
  MeteredSink metered(writer, meter);
  CopyAll(reader, metered);
  writer.Sync();
  writer.Close();
}

}  // namespace

void LinkOrCopy(const fs::path& from, const fs::path& to, WriteMeter* meter) {
  if (Reflink(from, to) || Link(from, to)) return TellWhole(to, meter);
  ReflinkOrCopy(from, to, meter);
}

void ReflinkOrCopy(const fs::path& from, const fs::path& to, WriteMeter* meter) {
  if (Reflink(from, to)) return TellWhole(to, meter);
  try {
    Copy(from, to, meter);
  } catch (...) {
    unlink(to.c_str());
    throw;
  }
}

}  // namespace imgbuild::layers
