// Which Python sources of a package get a .pyc, where it lies (PEP 3147), and its bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "layers/unpack/pyc_compiler.h"

namespace imgbuild::layers {

// "a/__pycache__/x.cpython-311.pyc" for "a/x.py" and python "3.11".
std::string PycPath(std::string_view source, std::string_view python);

// Whether `path` (a .py file below `top`, a folder of modules) is compiled: never for kNone; for
// kDefault not in a folder named "tests" or "test" below a package of the top.
bool IsCompiled(std::string_view path, std::string_view top, specs::Compile mode);

// Hands sources to the compiler in batches of a few megabytes and keeps what comes back.
class PycBatch {
 public:
  // Borrows options.compiler, which may be null: then nothing is compiled.
  explicit PycBatch(const PycOptions& options) : options_(options) {}

  // Takes the source in when it is to be compiled. `path` is relative to the image's root.
  void Add(std::string_view path, std::string_view top, std::int64_t mtime, std::string_view bytes);
  // Whether Add would take it in, so that its bytes are wanted.
  bool Wants(std::string_view path, std::string_view top, std::uint64_t size) const;

  struct Compiled {
    std::string bytes;
    std::string source;
  };
  // Path of the .pyc -> its bytes and the path of its source. Ends the batch.
  std::map<std::string, Compiled> Finish();

 private:
  struct Pending {
    std::string path;
    std::uint32_t mtime = 0;
    std::string bytes;
  };
  void Compile();

  PycOptions options_;
  std::vector<Pending> pending_;
  std::size_t pending_size_ = 0;
  std::map<std::string, Compiled> done_;
};

}  // namespace imgbuild::layers
