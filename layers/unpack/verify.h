// An archive's digest, checked before anything in it is parsed.
#pragma once

#include <filesystem>

#include "specs/base/digest.h"

namespace imgbuild::layers {

// Throws Error (kVerification) unless the file's SHA-256 is `expected`.
void VerifyFile(const std::filesystem::path& path, const specs::Sha256& expected);

}  // namespace imgbuild::layers
