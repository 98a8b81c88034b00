// A .deb taken apart (deb(5)): control members and checked entries, contents in a spool.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "layers/tree/facts.h"
#include "layers/unpack/deb.h"
#include "layers/unpack/spool.h"

namespace imgbuild::layers {

struct DebEntry {
  FileFacts facts;
  SpoolPiece content;  // of files
};

struct DebContents {
  PackageFacts facts;             // without files and contents
  std::vector<DebEntry> entries;  // sorted by path, each once; the first of hard links is the file
};

// Reads and checks everything UnpackDeb promises but the .pyc.
DebContents ReadDeb(const std::filesystem::path& path, const DebOptions& options, Spool& spool);

}  // namespace imgbuild::layers
