// One CPython process that compiles sources to .pyc, over pipes.
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "layers/io/file.h"
#include "layers/unpack/pyc_compiler.h"
#include "specs/oci/platform.h"

namespace imgbuild::builder {

// Versions what workers make of the same source and interpreter: part of each cache key.
inline constexpr std::string_view kPycVersion = "pyc/4";

// Whether the archive's keys vouch for a tree: one that nobody does runs only where it can do no
// harm.
enum class TreeTrust { kNone, kSigned };

// An interpreter below a directory: Debian's Python, extracted.
struct PythonTree {
  std::filesystem::path root;
  std::string version;               // "3.11"
  specs::Architecture architecture;  // what it runs on
  TreeTrust trust = TreeTrust::kNone;
};

class PycWorker {
 public:
  // Starts the interpreter by the tree's own dynamic linker and libraries, so that the host's do
  // not matter: confined to the tree wherever this machine allows that. Throws Error where it does
  // not run, and where a tree that nobody vouches for (kVerification) cannot be confined.
  explicit PycWorker(const PythonTree& tree);
  ~PycWorker();
  PycWorker(const PycWorker&) = delete;
  PycWorker& operator=(const PycWorker&) = delete;

  // As PycCompiler::Compile. Throws Error where the process fails; then it must not be used again.
  std::vector<std::optional<std::string>> Compile(std::span<const layers::PycSource> sources);

 private:
  pid_t pid_ = -1;
  layers::FileDescriptor to_;
  layers::FileDescriptor from_;
};

}  // namespace imgbuild::builder
