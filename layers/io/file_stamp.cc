#include "layers/io/file_stamp.h"

#include <fmt/core.h>
#include <sys/stat.h>

#include "specs/base/text.h"

namespace imgbuild::layers {
namespace {

std::int64_t Nanoseconds(const timespec& time) {
  return static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

}  // namespace

std::optional<FileStamp> FileStamp::Of(const std::filesystem::path& path) {
  struct stat status {};
  if (lstat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
  return FileStamp{.inode = status.st_ino,
                   .size = static_cast<std::uint64_t>(status.st_size),
                   .mtime_ns = Nanoseconds(status.st_mtim),
                   .ctime_ns = Nanoseconds(status.st_ctim)};
}

std::string FileStamp::Render() const {
  return fmt::format("{} {} {} {}", inode, size, mtime_ns, ctime_ns);
}

std::optional<FileStamp> FileStamp::Parse(std::span<const std::string_view> words) {
  if (words.size() != 4) return std::nullopt;
  const auto inode = specs::ParseUnsigned(words[0]);
  const auto size = specs::ParseUnsigned(words[1]);
  const auto mtime = specs::ParseUnsigned(words[2]);
  const auto ctime = specs::ParseUnsigned(words[3]);
  if (!inode || !size || !mtime || !ctime) return std::nullopt;
  return FileStamp{.inode = *inode,
                   .size = *size,
                   .mtime_ns = static_cast<std::int64_t>(*mtime),
                   .ctime_ns = static_cast<std::int64_t>(*ctime)};
}

}  // namespace imgbuild::layers
