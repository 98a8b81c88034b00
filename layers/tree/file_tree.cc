#include "layers/tree/file_tree.h"

#include <utility>

namespace imgbuild::layers {

ContentFile MakeFile(std::string content, std::uint32_t mode, std::uint32_t uid,
                     std::uint32_t gid) {
  ContentFile file;
  file.node.type = NodeType::kFile;
  file.node.mode = mode;
  file.node.uid = uid;
  file.node.gid = gid;
  file.node.mtime = kFixedTime;
  file.node.size = content.size();
  file.node.digest = specs::HashOf(content);
  file.content = std::move(content);
  return file;
}

ContentFile MakeSymlink(std::string target) {
  ContentFile file;
  file.node.type = NodeType::kSymlink;
  file.node.mode = 0777;
  file.node.mtime = kFixedTime;
  file.node.target = std::move(target);
  return file;
}

ContentFile MakeDirectory(std::uint32_t mode, std::uint32_t uid, std::uint32_t gid) {
  ContentFile file;
  file.node.type = NodeType::kDirectory;
  file.node.mode = mode;
  file.node.uid = uid;
  file.node.gid = gid;
  file.node.mtime = kFixedTime;
  return file;
}

}  // namespace imgbuild::layers
