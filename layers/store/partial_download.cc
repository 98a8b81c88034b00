#include "layers/store/partial_download.h"

#include <cerrno>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "layers/store/cache_folder.h"

namespace imgbuild::layers {

PartialDownload::PartialDownload(std::filesystem::path partial, std::filesystem::path target,
                                 const std::filesystem::path& lock)
    : lock_(lock), partial_(std::move(partial)), target_(std::move(target)) {
  std::error_code ignored;
  already_there_ = std::filesystem::exists(target_, ignored);
  if (already_there_) return;
  fd_ = FileDescriptor(open(partial_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!fd_.valid()) throw FileError("create", partial_, errno);
  // What an earlier try left is hashed again: its state died with that process.
  std::vector<std::byte> buffer(1 << 20);
  ssize_t got;
  while ((got = read(fd_.get(), buffer.data(), buffer.size())) > 0) {
    hasher_.Update(std::span(buffer).first(static_cast<std::size_t>(got)));
    size_ += static_cast<std::uint64_t>(got);
  }
  if (got < 0) throw FileError("read", partial_, errno);
}

void PartialDownload::Write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(fd_.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw FileError("write", partial_, errno);
    // What the disk took, and nothing more: a full disk must not let the digest run ahead.
    const std::span<const std::byte> taken = bytes.first(static_cast<std::size_t>(written));
    hasher_.Update(taken);
    size_ += taken.size();
    bytes = bytes.subspan(taken.size());
  }
}

void PartialDownload::Restart() {
  if (ftruncate(fd_.get(), 0) != 0 || lseek(fd_.get(), 0, SEEK_SET) != 0) {
    throw FileError("write", partial_, errno);
  }
  (void)hasher_.Finish();
  size_ = 0;
}

specs::Sha256 PartialDownload::Digest() { return hasher_.Finish(); }

void PartialDownload::Publish() {
  fd_.Reset();
  Rename();
}

void PartialDownload::PublishReadOnly() {
  struct stat status {};
  if (fstat(fd_.get(), &status) != 0 || fchmod(fd_.get(), status.st_mode & 0555) != 0) {
    throw FileError("change the mode of", partial_, errno);
  }
  fd_.Reset();
  Rename();
}

void PartialDownload::Rename() {
  MakeFolder(target_.parent_path());
  InCache(target_, [this] {
    if (rename(partial_.c_str(), target_.c_str()) != 0) throw FileError("create", target_, errno);
  });
}

}  // namespace imgbuild::layers
