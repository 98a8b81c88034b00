// The generated files while they are collected: what is said twice must be said alike.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "layers/tree/file_tree.h"

namespace imgbuild::builder {

// Paths are relative to the root. Each call throws Error where the path already has something else.
class StateFiles {
 public:
  void AddFile(std::string_view path, std::string content, std::uint32_t mode = 0644,
               std::uint32_t uid = 0, std::uint32_t gid = 0);
  void AddLink(std::string_view path, std::string target);
  void AddDirectory(std::string_view path, std::uint32_t mode = 0755, std::uint32_t uid = 0,
                    std::uint32_t gid = 0);
  void Warn(std::string warning) { warnings_.push_back(std::move(warning)); }

  // nullptr where nothing was added there.
  const layers::ContentFile* Find(std::string_view path) const;

  const layers::ContentTree& tree() const { return tree_; }
  layers::ContentTree TakeTree() { return std::move(tree_); }
  std::vector<std::string> TakeWarnings() { return std::move(warnings_); }

 private:
  void Add(std::string_view path, layers::ContentFile file);

  layers::ContentTree tree_;
  std::vector<std::string> warnings_;
};

}  // namespace imgbuild::builder
