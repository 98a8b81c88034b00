// Every path that the program creates in its cache, in one place.
//
//   CACHEDIR.TAG               tells backup programs to pass by
//   downloads/ab/SHA256        archives as they came, by their digest
//   verified                   what they looked like when they were hashed (verified_files.h)
//   partial/SHA256             the beginning of one, until it is whole and verified
//   frames/ab/SHA256           one package's files, compressed (layers/write/frame.h); of heavy
//                              packages with the rest of a layer, the same file as the blob
//   packages/ab/KEY.CODEC      facts of a processed package and which frame holds its files
//   blobs/sha256/ab/SHA256     layers, configs, manifests, indexes
//   actions/ab/KEY             what a step with that recipe key resulted in
//   trees/KEY/                 directories, such as the Python that compiles .pyc files
//   trees/KEY.digest           what such a directory holds (tree_digest.h)
//   index/NAME/                what other modules keep: package lists, pages
//   index/rootless/trees/KEY   unpacked images (builder/rootless/image_tree.h); KEY.new is one that
//                              is being unpacked or removed, KEY.use is held by all who use KEY
//   layouts/SHA256             an output directory, and which blobs were put there when
//   locks/                     files that are locked while an entry is made
//   tmp/                       what is not published yet
//   swept                      when stale files were last looked for (stale.h)
#pragma once

#include <filesystem>
#include <string_view>

#include "specs/base/digest.h"

namespace imgbuild::layers {

// The kind of lock that is held while an image is unpacked or removed.
inline constexpr std::string_view kUnpackingLock = "rootless-tree";

class StorePaths {
 public:
  explicit StorePaths(std::filesystem::path root) : root_(std::move(root)) {}

  const std::filesystem::path& root() const { return root_; }
  std::filesystem::path Tag() const { return root_ / "CACHEDIR.TAG"; }
  std::filesystem::path Temporary() const { return root_ / "tmp"; }
  std::filesystem::path Swept() const { return root_ / "swept"; }
  std::filesystem::path Verified() const { return root_ / "verified"; }
  std::filesystem::path Partial() const { return root_ / "partial"; }
  std::filesystem::path Locks() const { return root_ / "locks"; }
  std::filesystem::path Layouts() const { return root_ / "layouts"; }
  std::filesystem::path Trees() const { return root_ / "trees"; }
  std::filesystem::path Downloads() const { return root_ / "downloads"; }
  std::filesystem::path Frames() const { return root_ / "frames"; }
  std::filesystem::path Packages() const { return root_ / "packages"; }
  std::filesystem::path Blobs() const { return root_ / "blobs" / "sha256"; }
  std::filesystem::path Actions() const { return root_ / "actions"; }
  std::filesystem::path Index(std::string_view name) const { return root_ / "index" / name; }
  std::filesystem::path UnpackedImages() const { return Index("rootless") / "trees"; }

  std::filesystem::path Download(const specs::Sha256& digest) const;
  std::filesystem::path PartialDownload(const specs::Sha256& digest) const;
  std::filesystem::path Frame(const specs::Sha256& digest) const;
  std::filesystem::path Package(const specs::Sha256& key, std::string_view codec) const;
  std::filesystem::path Blob(const specs::Sha256& digest) const;
  std::filesystem::path Action(const specs::Sha256& key) const;
  std::filesystem::path Tree(const specs::Sha256& key) const;
  std::filesystem::path TreeDigest(const specs::Sha256& key) const;
  std::filesystem::path UnpackedImage(const specs::Sha256& key) const;
  std::filesystem::path UnfinishedImage(const specs::Sha256& key) const;
  // Its time is that of the last use.
  std::filesystem::path UnpackedImageUse(const specs::Sha256& key) const;
  // Throws Error where `output` is relative and there is no current directory any more.
  std::filesystem::path Layout(const std::filesystem::path& output) const;
  std::filesystem::path Lock(std::string_view kind, const specs::Sha256& key) const;
  std::filesystem::path DownloadLock(const specs::Sha256& digest) const {
    return Lock("download", digest);
  }

 private:
  std::filesystem::path root_;
};

}  // namespace imgbuild::layers
