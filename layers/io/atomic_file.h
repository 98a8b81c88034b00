// A file that is either there whole or not at all: written beside its place, synced, then renamed
// (POSIX.1-2017, rename()).
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>

#include "layers/io/file.h"

namespace imgbuild::layers {

// Every unfinished file's name starts so; one left behind by a killed process may be removed.
inline constexpr std::string_view kTemporaryPrefix = ".imgbuild-tmp-";

// Add bytes, then Publish once. Destroyed before that, nothing stays behind.
class AtomicFile : public Sink {
 public:
  // Opens a temporary file in `directory`, which must exist and lie on the file system of the
  // later target.
  explicit AtomicFile(const std::filesystem::path& directory, std::uint32_t mode = 0644);
  ~AtomicFile() override;
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  using Sink::Write;
  void Write(std::span<const std::byte> bytes) override;

  // Forgets what was written so far: a download that starts anew.
  void Restart();

  // Syncs and renames to `target`, replacing what was there.
  void Publish(const std::filesystem::path& target);

  // Renames without syncing, which saves milliseconds a file. Whole for every reader and after a
  // kill; after a power failure it may be empty or short, unless SyncFileSystem came between. For
  // content whose size and digest are checked before use.
  void PublishUnsynced(const std::filesystem::path& target);

  // Where the bytes are until then; all that was written, after Flush.
  void Flush() { sink_->Flush(); }
  const std::filesystem::path& temporary() const { return sink_->path(); }

 private:
  void Rename(const std::filesystem::path& target);

  std::optional<FileSink> sink_;  // absent once published
};

// Makes everything written so far to the file system that holds `path` durable, in one go.
void SyncFileSystem(const std::filesystem::path& path);

// Opens, writes and publishes; the target's folder must exist.
void WriteFileAtomically(const std::filesystem::path& target, std::string_view bytes,
                         std::uint32_t mode = 0644);

}  // namespace imgbuild::layers
