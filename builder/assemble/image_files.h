// Files that imgbuild itself brings into every image: the supervisor with its table, the virtual
// environment's own files, and where the image came from.
#pragma once

#include <string>

#include "layers/tree/file_tree.h"
#include "specs/env/lock.h"
#include "specs/env/spec.h"

namespace imgbuild::builder {

inline constexpr std::string_view kVenvPath = "/opt/venv";
inline constexpr std::string_view kGitConfig = "etc/gitconfig";

struct ImageFilesInput {
  const specs::Spec& spec;
  const std::string& spec_folder;  // paths in the canonical spec are relative to it
  const specs::Lock& lock;
  const specs::LockedPlatform& locked;
  std::string python = "/usr/bin/python3";  // the interpreter below the virtual environment
  std::string shell = "";                   // of an image without services; "": the profile's
};

//   usr/lib/imgbuild/init       the supervisor for the platform
//   usr/bin/imgbuild-init       a link to it, by which it is asked
//   usr/share/imgbuild/page/    where a service serves the built-in page
layers::ContentTree MakeRuntimeFiles(const ImageFilesInput& input);

//   etc/imgbuild/services       the supervisor's table
//   etc/imgbuild/spec.toml      the canonical spec
//   etc/imgbuild/lock           the lock
//   etc/imgbuild/packages       name, version, kind and logical source of each package, a line each
//   etc/gitconfig               where git is to find nothing dubious
//   services' volumes           empty, owned by the image's user
//   opt/venv/                   pyvenv.cfg, bin/python, lib64 (PEP 405), owned by the image's user
layers::ContentTree MakeImageFiles(const ImageFilesInput& input);

}  // namespace imgbuild::builder
