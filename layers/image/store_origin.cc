#include "layers/image/store_origin.h"

#include <filesystem>

#include <fmt/core.h>

#include "layers/io/file.h"
#include "specs/base/error.h"
#include "specs/oci/json_document.h"

namespace imgbuild::layers {
namespace {

std::filesystem::path PathOf(const Store& store, const specs::Descriptor& blob) {
  if (auto path = store.FindBlob(blob.digest, blob.size)) return *std::move(path);
  throw specs::Error(fmt::format("the blob {} is not in the cache", blob.digest.Oci()));
}

}  // namespace

std::string StoreOrigin::ReadDocument(const specs::Descriptor& document) {
  return ReadFile(PathOf(store_, document), specs::kMaxDocument);
}

std::vector<SourceBlob> StoreOrigin::Files(const std::vector<specs::Descriptor>& blobs) {
  std::vector<SourceBlob> files;
  for (const specs::Descriptor& blob : blobs) files.push_back({blob, PathOf(store_, blob)});
  return files;
}

}  // namespace imgbuild::layers
