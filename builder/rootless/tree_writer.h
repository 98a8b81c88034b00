// An image's layers unpacked over each other into a folder (OCI image-spec v1.1, layer.md).
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "builder/rootless/root_folder.h"
#include "layers/io/archive.h"
#include "layers/io/stream.h"

namespace imgbuild::builder {

enum class TreeOwners {
  kWriter,     // all files belong to whoever unpacks
  kAsWritten,  // uid and gid as the layers have them; REQUIRES: the right to give files away
};

// AddLayer for each layer from the bottom, then Finish. Devices and what is no file are passed
// over: nobody may make them without being root. Links in a layer never lead out of the folder.
class TreeWriter {
 public:
  // Borrows `root`, an empty folder.
  TreeWriter(const RootFolder& root, TreeOwners owners) : root_(root), owners_(owners) {}

  // Reads a tar in any compression to its end. Whiteouts take away what lower layers put there,
  // not what this one does, wherever they stand in it. Throws Error for a path with "..", a hard
  // link that leads nowhere, and what cannot be written.
  void AddLayer(layers::Source& layer);

  // Sets the times of folders, which change while files come into them.
  void Finish();

 private:
  void Add(layers::ArchiveReader& reader, const layers::ArchiveEntry& entry);
  void Whiteout(const std::string& parent, std::string_view name);
  void ClearLower(const std::string& folder);
  void Remove(const std::string& path);
  void WriteFile(layers::ArchiveReader& reader, const layers::ArchiveEntry& entry,
                 const std::string& path);
  void WriteFolder(const layers::ArchiveEntry& entry, const std::string& path);
  void WriteLink(const layers::ArchiveEntry& entry, const std::string& path);
  void MarkMade(const std::string& path);

  const RootFolder& root_;
  TreeOwners owners_;
  std::set<std::string, std::less<>> made_;  // paths of this layer, and the folders above them
  std::vector<std::pair<std::string, std::int64_t>> folder_times_;
};

}  // namespace imgbuild::builder
