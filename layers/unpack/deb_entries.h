// The data member of a .deb while it is read: entries come in the archive's order, leave sorted.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "layers/io/archive.h"
#include "layers/unpack/deb_reader.h"

namespace imgbuild::layers {

// Add for each entry, then Finish once.
class DebEntries {
 public:
  DebEntries(std::string package, const DebOptions& options, Spool& spool)
      : package_(std::move(package)), options_(options), spool_(spool) {}

  // Reads the entry's data. Throws Error for what is refused.
  void Add(const ArchiveEntry& entry, Source& data);

  std::vector<DebEntry> Finish();
  // Of its libraries, all together; known after Finish.
  const std::set<std::string>& gpu_code() const { return gpu_code_; }

 private:
  struct Group {  // a file and the hard links to it
    Node node;
    SpoolPiece content;
    std::vector<std::string> paths;  // in the image
  };

  void AddFile(const std::string& written, const Node& node, Source& data);
  void AddLink(const std::string& written, const ArchiveEntry& entry);
  void Place(const std::string& written, const Node& node);
  std::optional<ElfFacts> ElfOf(const SpoolPiece& content);
  // Where the path lies in the image; nullopt where it stays out.
  std::optional<std::string> Target(const std::string& written, NodeType type) const;

  std::string package_;
  const DebOptions& options_;
  Spool& spool_;
  std::vector<Group> groups_;
  std::map<std::string, std::size_t> files_;  // path as in the archive -> group
  std::vector<DebEntry> others_;              // directories and symbolic links
  std::set<std::string> gpu_code_;
};

}  // namespace imgbuild::layers
