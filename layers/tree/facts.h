// What is known of a package once its archive was read: all that planning, collisions, state files
// and skeletons need, without its bytes. Kilobytes, kept in the store beside the package's frame.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "layers/tree/node.h"

namespace imgbuild::layers {

// What the dynamic linker would read of an ELF file (System V gABI, chapter 5).
struct ElfFacts {
  std::uint16_t machine = 0;         // e_machine: 62 x86-64, 183 AArch64
  bool shared_object = false;        // ET_DYN without PT_INTERP
  std::string soname;                // DT_SONAME, may be empty
  std::vector<std::string> needed;   // DT_NEEDED, in file order
  std::vector<std::string> runpath;  // DT_RUNPATH or else DT_RPATH, split at ':', $ORIGIN kept

  bool operator==(const ElfFacts&) const = default;
};

struct FileFacts {
  std::string path;  // relative to the root, no leading or trailing slash: "usr/bin/env"
  Node node;
  std::optional<ElfFacts> elf;
  bool operator==(const FileFacts&) const = default;
};

struct PackageFacts {
  std::string kind;  // "deb" or "wheel"
  std::string name;
  std::string version;
  std::string architecture;      // debs; "" for wheels
  std::vector<FileFacts> files;  // sorted by path, each path once, directories included

  // Contents that later steps read: path -> bytes. For debs: what state files are made of
  // (certificates, passwd.master, shells, ...); for wheels: .dist-info metadata.
  std::map<std::string, std::string> contents;

  // What GPUs its libraries have code for, all together: "sm_90", "compute_120" (layers/unpack/
  // fatbin.h); sorted.
  std::vector<std::string> gpu_code;

  // Debs only: the control archive's members ("control", "postinst", "conffiles", "md5sums",
  // "triggers", ...).
  std::map<std::string, std::string> control;

  bool operator==(const PackageFacts&) const = default;
};

// A compact form for the store. ParseFacts(RenderFacts(facts)) == facts; ParseFacts throws
// specs::Error on anything else. Facts from elsewhere are safe to use once parsed: paths are
// canonical (layers/tree/path.h), modes and types in range. RenderFacts throws where the files are
// not sorted or a path is not canonical.
std::string RenderFacts(const PackageFacts& facts);
PackageFacts ParseFacts(std::string_view bytes);

// Parses; only Errors are swallowed. The entry point of the fuzz target.
void FuzzFacts(std::string_view bytes);

}  // namespace imgbuild::layers
