// The seam to whatever compiles Python sources (PEP 3147 "PYC Repository Directories"; PEP 552,
// timestamp-based pycs): unpacking decides which files get a .pyc, someone else makes the bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "specs/env/spec.h"

namespace imgbuild::layers {

struct PycSource {
  std::string co_filename;  // absolute in the image: "/opt/venv/lib/python3.11/…/x.py"
  std::uint32_t mtime = 0;  // what the .pyc's header must say
  std::string_view bytes;   // borrowed for the call; the header's size is bytes.size()
};

class PycCompiler {
 public:
  virtual ~PycCompiler() = default;
  // One result for each source, in order: a whole .pyc file (magic number, flags 0, mtime, size,
  // code), or nullopt where the source does not compile, which is no error. The same bytes for the
  // same source, whatever else is in the call. May be called from several threads at once.
  virtual std::vector<std::optional<std::string>> Compile(std::span<const PycSource> sources) = 0;
};

struct PycOptions {
  PycCompiler* compiler = nullptr;  // borrowed; null: no .pyc are made
  specs::Compile mode = specs::Compile::kDefault;
  std::string python = "3.11";  // decides __pycache__/NAME.cpython-311.pyc
};

}  // namespace imgbuild::layers
