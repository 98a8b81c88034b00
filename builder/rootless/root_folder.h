// A folder that is, or becomes, the root of an image: paths and links in it never lead out of it
// (openat2(2), RESOLVE_IN_ROOT), whoever wrote them.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "layers/io/file.h"

namespace imgbuild::builder {

class RootFolder {
 public:
  // Throws Error where it cannot be opened.
  explicit RootFolder(std::filesystem::path path);

  const std::filesystem::path& path() const { return path_; }
  int fd() const { return fd_.get(); }

  // Paths are canonical (layers/tree/path.h); "" is the root itself. Links are followed.
  //
  // The file or folder there, for its place only (O_PATH); an invalid descriptor, with errno set,
  // where there is none.
  layers::FileDescriptor Find(const std::string& path) const;
  // As Find; throws Error for what is no folder. One that is missing is made, mode 0755, with all
  // above it.
  layers::FileDescriptor MakeFolder(const std::string& path) const;
  // As Find; an empty file where nothing is.
  layers::FileDescriptor MakeFile(const std::string& path) const;
  // A regular file's content; "" where there is none or it is larger than a mebibyte.
  std::string Read(const std::string& path) const;
  // Another content for a regular file that is there. Throws Error where that cannot be.
  void Overwrite(const std::string& path, std::string_view content) const;

 private:
  layers::FileDescriptor Open(const std::string& path, int flags, unsigned mode) const;

  std::filesystem::path path_;
  layers::FileDescriptor fd_;
};

// "/proc/self/fd/7": the path by which calls that take none but paths find what is open.
std::string PathOf(const layers::FileDescriptor& fd);

}  // namespace imgbuild::builder
