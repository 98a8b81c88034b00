// Installing wheels without Python (PEP 427, "Installing a wheel"; packaging.python.org "Binary
// distribution format", "Recording installed projects", "Entry points").
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "layers/tree/facts.h"
#include "layers/unpack/pyc_compiler.h"
#include "layers/write/frame.h"
#include "specs/base/digest.h"

namespace imgbuild::layers {

// Versions what UnpackWheel makes of the same bytes and options: part of each cache key.
inline constexpr std::string_view kWheelVersion = "wheel/4";

// Whether somebody asked for the package itself (REQUESTED of "Recording installed projects").
enum class Requested { kDirectly, kAsDependency };

// What the frame is made.
enum class WheelFrame {
  kEntries,     // the package's files
  kWholeLayer,  // with its directories and an end: FrameWriter::AddSkeleton
};

struct WheelOptions {
  specs::Sha256 sha256;             // of the whole file
  bool verified = false;            // as in DebOptions
  bool record_verified = false;     // RECORD's hashes are known to be right for that digest
  std::string file_name;            // "numpy-2.1.0-cp311-….whl": for messages; "" is path's name
  std::string prefix = "opt/venv";  // of the virtual environment, relative to the root
  std::uint32_t uid = 1000;         // owner of all files and directories below the prefix
  std::uint32_t gid = 0;
  Requested requested = Requested::kAsDependency;
  WheelFrame frame = WheelFrame::kEntries;
  PycOptions pyc;  // pyc.python also decides lib/python3.11/site-packages
  std::filesystem::path scratch = std::filesystem::temp_directory_path();  // as in DebOptions
};

// Installs the wheel at `path`: adds its files to `frame` in order of path and returns its facts
// (kind "wheel"; name and version as its METADATA writes them; contents: METADATA, WHEEL,
// entry_points.txt, top_level.txt of .dist-info under their installed paths). Modes are 0664 and
// 0775, times from the zip, read as UTC and clamped to kFixedTime. RECORD is rewritten, sorted.
// The caller finishes the frame.
//
// The file's digest is checked before anything is parsed, unless it was, and RECORD's hashes as
// files pass, unless they were; RECORD's sizes and the archive's checksums always. Throws Error
// (kVerification) where one is wrong or missing, and Error for what is no wheel or is refused:
// paths that climb or are absolute, symbolic links, a path twice, entries that overlap or are
// encrypted or hold more than they declare, a foreign Wheel-Version.
PackageFacts UnpackWheel(const std::filesystem::path& path, const WheelOptions& options,
                         FrameWriter& frame);

}  // namespace imgbuild::layers
