// A download on its way into the store: resumable, verified while it arrives.
#pragma once

#include <cstdint>
#include <filesystem>

#include "layers/io/file.h"
#include "layers/store/entry_lock.h"
#include "specs/base/digest.h"

namespace imgbuild::layers {

// Write what comes after size() bytes, then Publish. What was written stays for the next try, in
// this run or another, unless Restart forgets it. One holder at a time: construction waits.
class PartialDownload : public Sink {
 public:
  PartialDownload(std::filesystem::path partial, std::filesystem::path target,
                  const std::filesystem::path& lock);

  // Whether another holder published it while this one waited; then there is nothing to do.
  bool AlreadyThere() const { return already_there_; }
  std::uint64_t size() const { return size_; }

  using Sink::Write;
  void Write(std::span<const std::byte> bytes) override;
  void Restart();

  // The digest of all bytes so far. Call once, when all came.
  specs::Sha256 Digest();
  // Moves it to its place. REQUIRES: Digest() gave the one that the target is named after.
  void Publish();
  // The same, read-only.
  void PublishReadOnly();

 private:
  void Rename();

  EntryLock lock_;
  std::filesystem::path partial_;
  std::filesystem::path target_;
  bool already_there_ = false;
  FileDescriptor fd_;
  std::uint64_t size_ = 0;
  specs::Sha256Hasher hasher_;
};

}  // namespace imgbuild::layers
