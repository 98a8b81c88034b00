// All owners' claims (path, node, owner) are gathered by reference and sorted once by path and
// install order. Each run of equal paths becomes one entry; ancestors that nobody claims are merged
// in; parents are then linked by index, which is all that skeletons and checks need. Nothing here
// is keyed by a map: 30,000 paths take a few sorted vectors.
#include "layers/tree/tree_union.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>

#include "layers/tree/directory_rules.h"
#include "layers/tree/path.h"
#include "specs/base/error.h"
#include "specs/base/text.h"

namespace imgbuild::layers {
namespace {

constexpr auto kUnowned = static_cast<OwnerId>(-1);  // until LinkParents

struct Claim {
  std::string_view path;
  const Node* node;
  OwnerId owner;
};

bool IsDirectory(const Node& node) { return node.type == NodeType::kDirectory; }

std::string_view TypeName(NodeType type) {
  switch (type) {
    case NodeType::kFile:
      return "file";
    case NodeType::kDirectory:
      return "directory";
    case NodeType::kSymlink:
      return "symbolic link";
    case NodeType::kHardlink:
      return "hard link";
  }
  return "";
}

bool SameContent(const Node& a, const Node& b) {
  return a.type == b.type && a.size == b.size && a.digest == b.digest && a.target == b.target;
}

Node DirectoryNode(std::string_view path, const Node* declared) {
  if (std::optional<Node> rule = DirectoryRule(path)) return *rule;
  Node node;
  node.type = NodeType::kDirectory;
  node.mode = declared != nullptr ? declared->mode : 0755;
  if (declared != nullptr) {
    node.uid = declared->uid;
    node.gid = declared->gid;
  }
  node.mtime = kFixedTime;
  return node;
}

void Throw(std::string_view what, const std::vector<std::string>& problems) {
  constexpr std::size_t kShown = 10;
  std::string text = fmt::format("{} ({})", what, specs::Count(problems.size(), "problem"));
  for (std::size_t i = 0; i < std::min(kShown, problems.size()); ++i) text += "\n  " + problems[i];
  if (problems.size() > kShown) text += fmt::format("\n  and {} more", problems.size() - kShown);
  throw specs::Error(std::move(text));
}

}  // namespace

class TreeUniter {
 public:
  explicit TreeUniter(std::span<const TreeInput> inputs) {
    for (const TreeInput& input : inputs) tree().owners_.push_back(input.owner);
    tree().brought_.resize(inputs.size());
    Gather(inputs);
  }

  TreeUnion Unite() {
    std::vector<Claim> ancestors = MissingAncestors();
    MakeEntries(ancestors);
    LinkParents();
    CheckHardlinks();
    if (!problems_.empty()) Throw("the packages' files cannot be one tree", problems_);
    std::ranges::sort(tree().shadowed_, {}, [](const FileTree::Shadowed& shadowed) {
      return std::pair(shadowed.owner, shadowed.entry);
    });
    return std::move(union_);
  }

 private:
  FileTree& tree() { return union_.tree; }
  const std::string& Name(OwnerId owner) { return tree().owners_[owner]; }

  void Gather(std::span<const TreeInput> inputs) {
    for (OwnerId owner = 0; owner < inputs.size(); ++owner) {
      if (auto facts = std::get_if<const PackageFacts*>(&inputs[owner].files)) {
        for (const FileFacts& file : (*facts)->files) AddClaim(file.path, file.node, owner);
      } else {
        const ContentTree& contents = *std::get<const ContentTree*>(inputs[owner].files);
        for (const auto& [path, file] : contents) AddClaim(path, file.node, owner);
      }
    }
    std::ranges::sort(claims_, [](const Claim& a, const Claim& b) {
      int order = a.path.compare(b.path);
      return order != 0 ? order < 0 : a.owner < b.owner;
    });
  }

  void AddClaim(std::string_view path, const Node& node, OwnerId owner) {
    if (IsCanonicalPath(path)) {
      claims_.push_back({path, &node, owner});
    } else {
      problems_.push_back(
          fmt::format("{} brings \"{}\", which is not a canonical path", Name(owner), path));
    }
  }

  // Directories that claims lie in and nobody claims, sorted, once each.
  std::vector<Claim> MissingAncestors() const {
    std::vector<Claim> missing;
    std::string_view last;
    for (const Claim& claim : claims_) {
      std::string_view parent = ParentPath(claim.path);
      if (parent == last) continue;
      last = parent;
      for (; !parent.empty(); parent = ParentPath(parent)) {
        auto found = std::ranges::lower_bound(claims_, parent, {}, &Claim::path);
        if (found != claims_.end() && found->path == parent) break;
        missing.push_back({parent, nullptr, 0});
      }
    }
    std::ranges::sort(missing, {}, &Claim::path);
    auto same = [](const Claim& a, const Claim& b) { return a.path == b.path; };
    missing.erase(std::unique(missing.begin(), missing.end(), same), missing.end());
    return missing;
  }

  void MakeEntries(const std::vector<Claim>& ancestors) {
    tree().entries_.reserve(claims_.size() + ancestors.size());
    auto ancestor = ancestors.begin();
    for (auto begin = claims_.begin(); begin != claims_.end();) {
      for (; ancestor != ancestors.end() && ancestor->path < begin->path; ++ancestor) {
        AddAncestor(ancestor->path);
      }
      auto end = std::find_if(begin, claims_.end(),
                              [begin](const Claim& claim) { return claim.path != begin->path; });
      AddRun(std::span(begin, end));
      begin = end;
    }
  }

  void AddAncestor(std::string_view path) {
    tree().entries_.push_back({std::string(path), DirectoryNode(path, nullptr), kUnowned});
    first_below_.push_back(kUnowned);
  }

  void AddRun(std::span<const Claim> run) {
    auto index = static_cast<std::uint32_t>(tree().entries_.size());
    for (const Claim& claim : run) {
      std::vector<std::uint32_t>& brought = tree().brought_[claim.owner];
      if (!brought.empty() && brought.back() == index) {
        problems_.push_back(fmt::format("{} brings /{} twice", Name(claim.owner), claim.path));
      }
      brought.push_back(index);
    }
    const Claim& last = run.back();
    OwnerId owner = run.front().owner;
    if (run.size() > 1) owner = Resolve(run, index);
    Node node = IsDirectory(*last.node) ? DirectoryNode(last.path, run.front().node) : *last.node;
    tree().entries_.push_back({std::string(last.path), std::move(node), owner});
    first_below_.push_back(run.front().owner);
  }

  // Compares each claim with the last, which wins; returns the first owner that brings the same.
  OwnerId Resolve(std::span<const Claim> run, std::uint32_t index) {
    const Claim& winner = run.back();
    std::optional<OwnerId> owner;
    for (const Claim& claim : run) {
      bool directories = IsDirectory(*claim.node) && IsDirectory(*winner.node);
      if (directories || *claim.node == *winner.node) {
        if (!owner) owner = claim.owner;
      } else if (IsDirectory(*claim.node) || IsDirectory(*winner.node)) {
        problems_.push_back(fmt::format("/{} is a {} in {} and a {} in {}", claim.path,
                                        TypeName(claim.node->type), Name(claim.owner),
                                        TypeName(winner.node->type), Name(winner.owner)));
      } else {
        ConflictKind kind = SameContent(*claim.node, *winner.node) ? ConflictKind::kMetadata
                                                                   : ConflictKind::kContent;
        union_.conflicts.push_back({std::string(claim.path), claim.owner, winner.owner, kind});
        tree().shadowed_.push_back({index, claim.owner, *claim.node});
      }
    }
    return *owner;
  }

  // Parents come before their children in the order of paths, so one backward pass hands the
  // lowest owner up to the directories nobody claims.
  void LinkParents() {
    std::vector<TreeEntry>& entries = tree().entries_;
    tree().parents_.resize(entries.size());
    std::string_view last_path;
    std::uint32_t last = 0;
    for (std::uint32_t i = 0; i < entries.size(); ++i) {
      std::string_view parent = ParentPath(entries[i].path);
      if (parent.empty()) {
        tree().parents_[i] = i;
        continue;
      }
      if (parent != last_path) {
        last = IndexOf(parent);
        last_path = entries[last].path;
      }
      tree().parents_[i] = last;
    }
    for (std::size_t i = entries.size(); i-- > 0;) {
      std::uint32_t parent = tree().parents_[i];
      first_below_[parent] = std::min(first_below_[parent], first_below_[i]);
      if (entries[i].owner == kUnowned) entries[i].owner = first_below_[i];
    }
    for (std::uint32_t i = 0; i < entries.size(); ++i) CheckParent(i);
  }

  std::uint32_t IndexOf(std::string_view path) {
    const std::vector<TreeEntry>& entries = tree().entries_;
    auto found = std::ranges::lower_bound(entries, path, {}, &TreeEntry::path);
    return static_cast<std::uint32_t>(found - entries.begin());
  }

  void CheckParent(std::uint32_t child) {
    std::uint32_t parent = tree().parents_[child];
    const TreeEntry& above = tree().entries_[parent];
    const TreeEntry& below = tree().entries_[child];
    if (parent == child || IsDirectory(above.node)) return;
    problems_.push_back(fmt::format("/{} of {} lies below /{}, a {} of {}", below.path,
                                    Name(below.owner), above.path, TypeName(above.node.type),
                                    Name(above.owner)));
  }

  void CheckHardlinks() {
    for (const Claim& claim : claims_) {
      if (claim.node->type != NodeType::kHardlink) continue;
      auto target = std::ranges::lower_bound(
          claims_, std::pair(std::string_view(claim.node->target), claim.owner), {},
          [](const Claim& other) { return std::pair(other.path, other.owner); });
      if (target == claims_.end() || target->path != claim.node->target ||
          target->owner != claim.owner || target->node->type != NodeType::kFile) {
        problems_.push_back(fmt::format("/{} of {} is a hard link to /{}, which is no file of it",
                                        claim.path, Name(claim.owner), claim.node->target));
      }
    }
  }

  TreeUnion union_;
  std::vector<Claim> claims_;
  std::vector<OwnerId> first_below_;  // by entry: the lowest owner at or below it
  std::vector<std::string> problems_;
};

const TreeEntry* FileTree::Find(std::string_view path) const {
  auto found = std::ranges::lower_bound(entries_, path, {}, &TreeEntry::path);
  return found != entries_.end() && found->path == path ? &*found : nullptr;
}

TreeUnion UniteTrees(std::span<const TreeInput> inputs) { return TreeUniter(inputs).Unite(); }

// By entry: a directory that these owners bring, or that lies above what they bring.
std::vector<bool> SkeletonMarks(const FileTree& tree, std::span<const OwnerId> owners) {
  std::vector<bool> marks(tree.entries_.size());
  for (OwnerId owner : owners) {
    for (std::uint32_t index : tree.brought_.at(owner)) {
      if (!IsDirectory(tree.entries_[index].node)) index = tree.parents_[index];
      while (IsDirectory(tree.entries_[index].node) && !marks[index]) {
        marks[index] = true;
        index = tree.parents_[index];
      }
    }
  }
  return marks;
}

std::vector<TreeEntry> Skeleton(const FileTree& tree, std::span<const OwnerId> owners) {
  std::vector<bool> marks = SkeletonMarks(tree, owners);
  std::vector<TreeEntry> directories;
  for (std::size_t i = 0; i < marks.size(); ++i) {
    if (marks[i]) directories.push_back(tree.entries_[i]);
  }
  return directories;
}

void CheckLayers(const FileTree& tree, std::span<const std::vector<OwnerId>> layers) {
  std::vector<const Node*> root(tree.entries_.size());
  for (const std::vector<OwnerId>& owners : layers) {
    std::vector<bool> marks = SkeletonMarks(tree, owners);
    for (std::size_t i = 0; i < marks.size(); ++i) {
      if (marks[i]) root[i] = &tree.entries_[i].node;
    }
    for (OwnerId owner : owners) {
      auto shadowed =
          std::ranges::lower_bound(tree.shadowed_, owner, {}, &FileTree::Shadowed::owner);
      for (std::uint32_t index : tree.brought_.at(owner)) {
        while (shadowed != tree.shadowed_.end() && shadowed->owner == owner &&
               shadowed->entry < index) {
          ++shadowed;
        }
        bool lost = shadowed != tree.shadowed_.end() && shadowed->owner == owner &&
                    shadowed->entry == index;
        root[index] = lost ? &shadowed->node : &tree.entries_[index].node;
      }
    }
  }
  std::vector<std::string> problems;
  for (std::size_t i = 0; i < root.size(); ++i) {
    const TreeEntry& entry = tree.entries_[i];
    if (root[i] == nullptr) {
      problems.push_back(
          fmt::format("/{} of {} is in no layer", entry.path, tree.owners_[entry.owner]));
    } else if (*root[i] != entry.node) {
      problems.push_back(fmt::format("/{} is not as {} brings it in the uppermost layer",
                                     entry.path, tree.owners_[entry.owner]));
    }
  }
  if (!problems.empty()) Throw("the layers together are not the image's tree", problems);
}

}  // namespace imgbuild::layers
