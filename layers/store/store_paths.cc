#include "layers/store/store_paths.h"

#include "layers/io/file.h"

namespace imgbuild::layers {
namespace {

namespace fs = std::filesystem;

// A folder with hundreds of thousands of entries is slow to list: split by the first two digits.
fs::path Split(const fs::path& folder, const std::string& hex) {
  return folder / hex.substr(0, 2) / hex;
}

}  // namespace

fs::path StorePaths::Download(const specs::Sha256& digest) const {
  return Split(Downloads(), digest.Hex());
}

fs::path StorePaths::PartialDownload(const specs::Sha256& digest) const {
  return Partial() / digest.Hex();
}

fs::path StorePaths::Frame(const specs::Sha256& digest) const {
  return Split(Frames(), digest.Hex());
}

fs::path StorePaths::Package(const specs::Sha256& key, std::string_view codec) const {
  // A codec's id may have slashes; its digest is a file name.
  return Split(Packages(), key.Hex()) += "." + specs::HashOf(codec).Hex().substr(0, 16);
}

fs::path StorePaths::Blob(const specs::Sha256& digest) const {
  return Split(Blobs(), digest.Hex());
}

fs::path StorePaths::Action(const specs::Sha256& key) const { return Split(Actions(), key.Hex()); }

fs::path StorePaths::Tree(const specs::Sha256& key) const { return Trees() / key.Hex(); }

fs::path StorePaths::TreeDigest(const specs::Sha256& key) const {
  return Trees() / (key.Hex() + ".digest");
}

fs::path StorePaths::UnpackedImage(const specs::Sha256& key) const {
  return UnpackedImages() / key.Hex();
}

fs::path StorePaths::UnfinishedImage(const specs::Sha256& key) const {
  return UnpackedImages() / (key.Hex() + ".new");
}

fs::path StorePaths::UnpackedImageUse(const specs::Sha256& key) const {
  return UnpackedImages() / (key.Hex() + ".use");
}

fs::path StorePaths::Layout(const fs::path& output) const {
  std::error_code error;
  const fs::path absolute = fs::absolute(output, error);
  if (error) throw FileError("find", output, error.value());
  return Layouts() / specs::HashOf(absolute.lexically_normal().string()).Hex();
}

fs::path StorePaths::Lock(std::string_view kind, const specs::Sha256& key) const {
  return Locks() / (std::string(kind) + "-" + key.Hex().substr(0, 16));
}

}  // namespace imgbuild::layers
