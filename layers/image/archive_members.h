// A tar that holds images, read twice: once to see what there is, once for what is wanted. It is
// not extracted; nothing that it says about names or links leads anywhere but into itself.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <string>

#include "layers/io/stream.h"

namespace imgbuild::layers {

struct ArchiveMember {
  std::uint64_t size = 0;
  std::string front;   // its first bytes, which tell a compression
  std::string text;    // the whole of what may be a small JSON document, up to a bound for all
  std::string target;  // of links, as a member's name; "" for files
};

class ArchiveMembers {
 public:
  // Reads the archive through, of any compression. Throws Error where it is none, is damaged, has
  // members beyond reason or two of one name.
  explicit ArchiveMembers(std::filesystem::path file);

  const std::filesystem::path& file() const { return file_; }
  bool Has(const std::string& name) const { return members_.contains(name); }

  // The file's name that `name` leads to over symbolic and hard links. Throws Error where there is
  // none.
  std::string Resolve(const std::string& name) const;
  // REQUIRES: Resolve gave the name.
  const ArchiveMember& At(const std::string& name) const { return members_.at(name); }

  // The whole of a small member, up to specs::kMaxDocument bytes. Throws Error where it is larger.
  std::string ReadText(const std::string& name) const;

  // Calls `take` for each of these files, in the order of the archive; their content is valid for
  // the call. Throws Error where one has gone. REQUIRES: Resolve gave the names.
  using Take = std::function<void(const std::string&, Source&)>;
  void Read(std::set<std::string> names, const Take& take) const;

 private:
  std::filesystem::path file_;
  std::map<std::string, ArchiveMember> members_;
};

}  // namespace imgbuild::layers
