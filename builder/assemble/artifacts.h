// [[artifacts]]: files by URL and hash, laid into the image.
#pragma once

#include <filesystem>

#include "builder/assemble/fetcher.h"
#include "layers/store/scratch_folder.h"
#include "layers/tree/file_tree.h"
#include "specs/env/lock.h"
#include "specs/env/spec.h"

namespace imgbuild::builder {

// An artifact in the fetcher's words: kind and layer do not matter, path is the URL.
specs::LockedPackage ArtifactPackage(const specs::ArtifactEntry& artifact);

// The files of one artifact that lies at `archive`: the file itself, or what it unpacks to, with
// kFixedTime. Of what is unpacked, 64 MiB are held in memory; the rest lies in `scratch`, which has
// to live as long as the tree. Throws Error of kind kVerification where `archive` is not the file
// that `artifact` names, and Error for archives whose entries climb out of `to`, hold anything but
// files, directories and links, or unpack to more than 8 GiB.
layers::ContentTree UnpackArtifact(const specs::ArtifactEntry& artifact,
                                   const std::filesystem::path& archive,
                                   layers::ScratchFolder& scratch);

}  // namespace imgbuild::builder
