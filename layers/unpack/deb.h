// Debian binary packages (deb(5), format 2.0): the files and facts of one .deb, nothing executed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>

#include "layers/tree/facts.h"
#include "layers/unpack/pyc_compiler.h"
#include "layers/write/frame.h"
#include "specs/base/digest.h"
#include "specs/env/spec.h"

namespace imgbuild::layers {

// Versions what UnpackDeb makes of the same bytes and options: part of each cache key.
inline constexpr std::string_view kDebVersion = "deb/3";

// Which paths stay out of the image.
enum class PathFilter {
  kNone,  // everything the package brings
  kSlim,  // without documentation and translations: ExcludedPath of excluded_paths.h
};

struct DebOptions {
  specs::Sha256 sha256;   // of the whole file
  bool verified = false;  // it is known to have that digest (Store::IsVerified)
  specs::Suite suite = specs::Suite::kBookworm;  // decides how /usr is merged
  PathFilter filter = PathFilter::kSlim;
  PycOptions pyc;  // for modules below usr/lib/python3*
  // Where files are kept while they wait for their turn, when memory is not enough. Nothing stays
  // there, not even after a kill.
  std::filesystem::path scratch = std::filesystem::temp_directory_path();
};

// Reads the .deb at `path`, adds its files and links to `frame` in order of path and returns its
// facts (kind "deb"; name, version and architecture from its control file; contents as
// CapturedPath says). The caller finishes the frame. Paths are canonical, directories of merged
// /usr are rewritten, times are clamped to kFixedTime and later, hard links point at the first of
// their paths in order, owners and set-id bits are kept.
//
// The file's digest is checked before anything is parsed, unless it was. Throws Error
// (kVerification) where it is another, and Error for what is no deb or is refused: paths that climb
// or are absolute, devices, fifos, a path twice, a hard link to what the package does not bring.
// Holds some 40 MiB at most, whatever the package's size.
PackageFacts UnpackDeb(const std::filesystem::path& path, const DebOptions& options,
                       FrameWriter& frame);

// Only the facts: the same, without a frame.
PackageFacts ReadDebFacts(const std::filesystem::path& path, const DebOptions& options);

}  // namespace imgbuild::layers
