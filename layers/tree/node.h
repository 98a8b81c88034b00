// One entry of a file tree: everything about a path but its content.
#pragma once

#include <cstdint>
#include <string>

#include "specs/base/digest.h"

namespace imgbuild::layers {

enum class NodeType { kFile, kDirectory, kSymlink, kHardlink };

struct Node {
  NodeType type = NodeType::kFile;
  std::uint32_t mode = 0644;  // permission bits with set-id and sticky: 07777
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::int64_t mtime = 0;  // seconds since the epoch, UTC
  std::uint64_t size = 0;  // bytes; 0 unless kFile
  specs::Sha256 digest;    // of the content; zero unless kFile
  std::string target;      // kSymlink: as written; kHardlink: a path of the same package

  bool operator==(const Node&) const = default;
};

}  // namespace imgbuild::layers
