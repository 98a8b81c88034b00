// A virtual file tree: path -> node and owner. Debs, wheels, app files and generated state all
// look the same here; one of the three narrow waists.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "layers/tree/node.h"

namespace imgbuild::layers {

// Files made by imgbuild or read from the user's disk, with their content at hand.
struct ContentFile {
  Node node;            // size and digest agree with the content
  std::string content;  // kFile with content in memory; else empty
  std::string
      disk_path;  // kFile whose content is read from this host path when written; else empty

  bool operator==(const ContentFile&) const = default;
};

// path -> file; paths relative to the root without leading slash. Parents need not be there.
using ContentTree = std::map<std::string, ContentFile>;

// A regular file in memory with digest and size filled in. `mtime` defaults to kFixedTime.
ContentFile MakeFile(std::string content, std::uint32_t mode = 0644, std::uint32_t uid = 0,
                     std::uint32_t gid = 0);
ContentFile MakeSymlink(std::string target);
ContentFile MakeDirectory(std::uint32_t mode = 0755, std::uint32_t uid = 0, std::uint32_t gid = 0);

// The constant time of generated files and of all directories: 1980-01-01T00:00:00Z, the earliest
// that zip tools accept.
inline constexpr std::int64_t kFixedTime = 315'532'800;

}  // namespace imgbuild::layers
