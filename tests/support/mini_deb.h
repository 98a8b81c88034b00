// A small .deb (deb(5)) made in memory.
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace imgbuild::support {

struct MiniDeb {
  std::string name;
  std::string version = "1.0-1";
  std::string architecture = "all";
  std::map<std::string, std::string> fields;         // more control fields: {"Depends", "a"}
  std::map<std::string, std::string> files;          // "usr/bin/x" -> content, mode 0644
  std::map<std::string, std::uint32_t> modes;        // of files that are not 0644
  std::map<std::string, std::string> links;          // "usr/bin/y" -> target
  std::map<std::string, std::string> control_files;  // "postinst" -> text, mode 0755
  std::string component = "main";                    // of the archive

  // "name_version_architecture.deb", the epoch left out as archives do.
  std::string FileName() const;
  // "pool/main/n/name/" + FileName().
  std::string PoolPath() const;
  // The control stanza with Package, Version, Architecture, Maintainer, Description and `fields`.
  std::string Control() const;
  // The archive; the same bytes each time.
  std::string Bytes() const;
};

}  // namespace imgbuild::support
