// [[artifacts]]: files by URL and hash, laid into the image.
#pragma once

#include <vector>

#include "builder/assemble/fetcher.h"
#include "layers/tree/file_tree.h"
#include "specs/env/lock.h"
#include "specs/env/spec.h"

namespace imgbuild::builder {

// An artifact in the fetcher's words: kind and layer do not matter, path is the URL.
specs::LockedPackage ArtifactPackage(const specs::ArtifactEntry& artifact);

// The files of one artifact that lies at `archive`: the file itself, or what it unpacks to, with
// kFixedTime. Throws Error of kind kVerification where `archive` is not the file that `artifact`
// names, and Error for archives whose entries climb out of `to`, hold anything but files,
// directories and links, or unpack to more than 8 GiB.
layers::ContentTree UnpackArtifact(const specs::ArtifactEntry& artifact,
                                   const std::filesystem::path& archive);

}  // namespace imgbuild::builder
