// What a file looks like from outside, to be found out again whether it is still the same.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace imgbuild::layers {

// Changes when the file's content does: the kernel moves ctime with each write, and nobody can move
// it back. Times are in nanoseconds since the epoch.
struct FileStamp {
  std::uint64_t inode = 0;
  std::uint64_t size = 0;
  std::int64_t mtime_ns = 0;
  std::int64_t ctime_ns = 0;

  bool operator==(const FileStamp&) const = default;

  // nullopt where there is no regular file.
  static std::optional<FileStamp> Of(const std::filesystem::path& path);

  // Four words: inode, size, times. nullopt for anything else.
  std::string Render() const;
  static std::optional<FileStamp> Parse(std::span<const std::string_view> words);
};

}  // namespace imgbuild::layers
