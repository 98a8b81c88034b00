// The user's own files ([[files]]), read from disk into a tree.
#pragma once

#include <cstdint>

#include "layers/tree/file_tree.h"
#include "specs/env/spec.h"

namespace imgbuild::builder {

struct AppFiles {
  layers::ContentTree tree;  // contents stay on disk: ContentFile::disk_path
  specs::Sha256 digest;      // of paths, types, modes, owners and contents; nothing of the disk
  std::uint64_t bytes = 0;
};

// Reads what `entry.from` names: a file, or a directory with all below it. Normalised, so that the
// result depends on names and contents only: modes become 0644, or 0755 where the owner may execute
// (entry.mode overrides for files), times kFixedTime. Left out is what entry.exclude says, whose
// last word counts ("!x" keeps x); else version control, virtual environments, caches, .env files
// and the spec's own outputs (kAlwaysExcluded); else what git would ignore by the .gitignore files
// in the tree and above it in its repository, except that `from` itself may lie in an ignored
// folder. Symbolic links are kept
// where they stay inside the tree, else an Error. Sockets, devices and pipes are an Error.
AppFiles ReadAppFiles(const specs::FilesEntry& entry);

// In gitignore form.
extern const char kAlwaysExcluded[];

}  // namespace imgbuild::builder
