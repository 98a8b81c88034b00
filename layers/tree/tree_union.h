// The image's one tree, made of what each package brings: path -> node and owner, directories
// with attributes that do not depend on the layer, conflicts as data.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "layers/tree/facts.h"
#include "layers/tree/file_tree.h"
#include "layers/tree/node.h"

namespace imgbuild::layers {

// Position in the install order.
using OwnerId = std::uint32_t;

// What one owner brings. Borrowed until UniteTrees returned.
struct TreeInput {
  std::string owner;  // unique; for messages: "numpy", "libc6"
  std::variant<const PackageFacts*, const ContentTree*> files;
};

struct TreeEntry {
  std::string path;
  Node node;
  OwnerId owner = 0;

  bool operator==(const TreeEntry&) const = default;
};

// Two owners bring the same path, not equal in all. The later in install order has it in the tree,
// as an installer would leave it.
enum class ConflictKind {
  kMetadata,  // same type, content and target; another mode, owner or time
  kContent,   // another type (but never with a directory), content or target
};

struct TreeConflict {
  std::string path;
  OwnerId first = 0;   // loses
  OwnerId second = 0;  // wins
  ConflictKind kind = ConflictKind::kContent;

  bool operator==(const TreeConflict&) const = default;
};

// Compact and immutable; made by UniteTrees.
class FileTree {
 public:
  // Sorted by path; every ancestor is there as a directory. A path that several owners bring
  // equally belongs to the first; a directory nobody brings, to the first that has a path below.
  const std::vector<TreeEntry>& entries() const { return entries_; }
  // nullptr where there is none.
  const TreeEntry* Find(std::string_view path) const;
  const std::vector<std::string>& owners() const { return owners_; }

 private:
  friend class TreeUniter;
  friend std::vector<bool> SkeletonMarks(const FileTree&, std::span<const OwnerId>);
  friend std::vector<TreeEntry> Skeleton(const FileTree&, std::span<const OwnerId>);
  friend void CheckLayers(const FileTree&, std::span<const std::vector<OwnerId>>);

  struct Shadowed {  // a path that an owner brings and a later one has
    std::uint32_t entry = 0;
    OwnerId owner = 0;
    Node node;
  };

  std::vector<TreeEntry> entries_;
  std::vector<std::uint32_t> parents_;  // index of each entry's parent; own index at top
  std::vector<std::vector<std::uint32_t>> brought_;  // by owner: the entries it brings, ascending
  std::vector<Shadowed> shadowed_;                   // by owner, then entry
  std::vector<std::string> owners_;
};

struct TreeUnion {
  FileTree tree;
  std::vector<TreeConflict> conflicts;  // by path
};

// Unites in install order. Directories get kFixedTime and the mode and owner of the fixed table
// (DirectoryRule), else of the first owner that brings them, else 0755 0:0. Throws an Error naming
// paths and owners for what cannot be one tree: a directory here that is a file or link there, a
// path below another's file or symbolic link, a hard link whose target its owner does not bring as
// a file, a path that is not canonical or that one owner brings twice.
TreeUnion UniteTrees(std::span<const TreeInput> inputs);

// The directories a layer of these owners needs: all they bring and all ancestors of what they
// bring, sorted, with the tree's attributes (so equal in every layer).
std::vector<TreeEntry> Skeleton(const FileTree& tree, std::span<const OwnerId> owners);

// Lays the layers over each other, each its skeleton and then its owners in the given order, and
// throws an Error naming the first paths where the result is not exactly the tree.
void CheckLayers(const FileTree& tree, std::span<const std::vector<OwnerId>> layers);

}  // namespace imgbuild::layers
