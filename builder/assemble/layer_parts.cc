#include "builder/assemble/layer_parts.h"

#include <algorithm>
#include <map>
#include <string_view>

#include "layers/write/tar.h"

namespace imgbuild::builder {
namespace {

using layers::ContentTree;
using layers::FileFacts;
using layers::NodeType;
using layers::PackageFacts;

// Before which files a package may be cut: not between a file and a hard link to it.
std::vector<bool> MayCutBefore(const std::vector<FileFacts>& files) {
  std::map<std::string_view, std::size_t> places;
  std::vector<int> spans(files.size() + 1, 0);  // difference of the hard links that lie across
  for (std::size_t i = 0; i < files.size(); ++i) {
    places.emplace(files[i].path, i);
    if (files[i].node.type != NodeType::kHardlink) continue;
    const auto target = places.find(files[i].node.target);
    if (target == places.end()) continue;
    ++spans[target->second + 1];
    --spans[i + 1];
  }
  std::vector<bool> may(files.size(), true);
  int across = 0;
  for (std::size_t i = 0; i < files.size(); ++i) {
    across += spans[i];
    may[i] = across == 0;
  }
  return may;
}

bool InFrame(const FileFacts& file) { return file.node.type != NodeType::kDirectory; }

// One package, cut into parts of at most `limit` bytes where its files allow it.
class PackageCutter {
 public:
  PackageCutter(const ReadyPackage& package, std::uint64_t limit)
      : package_(package), limit_(limit) {}

  // Facts go to `facts`, which lives as long as the parts.
  std::vector<PackagePart> Cut(std::vector<std::unique_ptr<PackageFacts>>& facts) {
    const std::vector<FileFacts>& files = package_.facts.files;
    const std::vector<bool> may_cut = MayCutBefore(files);
    // Where the last allowed cut is, and how many bytes lie before it.
    std::size_t first = 0;
    std::size_t cut = 0;
    std::uint64_t begin = 0;
    std::uint64_t cut_at = 0;
    std::uint64_t at = 0;
    std::vector<PackagePart> parts;
    for (std::size_t i = 0; i < files.size(); ++i) {
      if (may_cut[i]) {
        cut = i;
        cut_at = at;
      }
      if (InFrame(files[i])) at += layers::TarEntrySize(files[i].path, files[i].node);
      if (at - begin > limit_ && cut_at > begin) {
        parts.push_back(Part(first, cut, begin, cut_at, facts));
        first = cut;
        begin = cut_at;
      }
    }
    parts.push_back(Part(first, files.size(), begin, at, facts));
    return parts;
  }

 private:
  PackagePart Part(std::size_t first, std::size_t last, std::uint64_t begin, std::uint64_t end,
                   std::vector<std::unique_ptr<PackageFacts>>& facts) const {
    auto part = std::make_unique<PackageFacts>();
    part->kind = package_.facts.kind;
    part->name = package_.facts.name;
    part->version = package_.facts.version;
    part->architecture = package_.facts.architecture;
    part->files.assign(package_.facts.files.begin() + static_cast<std::ptrdiff_t>(first),
                       package_.facts.files.begin() + static_cast<std::ptrdiff_t>(last));
    facts.push_back(std::move(part));
    return {.package = &package_, .facts = facts.back().get(), .begin = begin, .end = end};
  }

  const ReadyPackage& package_;
  const std::uint64_t limit_;
};

}  // namespace

LayerParts SplitPackages(const std::vector<const ReadyPackage*>& packages, std::uint64_t limit) {
  LayerParts result;
  result.layers.emplace_back();
  std::uint64_t filled = 0;
  auto add = [&](PackagePart part) {
    const std::uint64_t size = part.end - part.begin;
    if (filled > 0 && filled + size > limit) {
      result.layers.emplace_back();
      filled = 0;
    }
    result.layers.back().push_back(part);
    filled += size;
  };
  for (const ReadyPackage* package : packages) {
    if (package->frame.tar_size <= limit) {
      add({.package = package,
           .facts = &package->facts,
           .begin = 0,
           .end = package->frame.tar_size});
      continue;
    }
    for (PackagePart part : PackageCutter(*package, limit).Cut(result.facts)) add(part);
  }
  return result;
}

std::vector<ContentTree> SplitFiles(ContentTree files, std::uint64_t limit) {
  // A hard link goes where its file went.
  std::vector<ContentTree> trees(1);
  std::map<std::string, std::size_t> places;
  std::uint64_t filled = 0;
  while (!files.empty()) {
    auto node = files.extract(files.begin());
    const layers::Node& entry = node.mapped().node;
    if (entry.type == NodeType::kDirectory) {
      trees.front().insert(std::move(node));
      continue;
    }
    const auto target =
        entry.type == NodeType::kHardlink ? places.find(entry.target) : places.end();
    if (target != places.end()) {
      trees[target->second].insert(std::move(node));
      continue;
    }
    const std::uint64_t size = layers::TarEntrySize(node.key(), entry);
    if (filled > 0 && filled + size > limit) {
      trees.emplace_back();
      filled = 0;
    }
    filled += size;
    places.emplace(node.key(), trees.size() - 1);
    trees.back().insert(std::move(node));
  }
  return trees;
}

}  // namespace imgbuild::builder
