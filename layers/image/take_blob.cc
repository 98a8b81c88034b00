#include "layers/image/take_blob.h"

#include <memory>

#include <fmt/format.h>

#include "layers/io/archive.h"
#include "layers/io/file.h"
#include "layers/io/hashing.h"
#include "specs/base/error.h"

namespace imgbuild::layers {
namespace {

specs::Error Wrong(const specs::Descriptor& blob, std::string found, std::string expected) {
  return specs::Error(specs::ErrorKind::kVerification,
                      fmt::format("the blob {} is damaged", blob.digest.Oci()))
      .Found(std::move(found))
      .Expected(std::move(expected));
}

specs::Sha256 DiffIdOf(const std::filesystem::path& file) {
  FileSource compressed(file);
  const std::unique_ptr<Source> decompressed = Decompressed(compressed);
  HashingSource plain(*decompressed);
  NullSink nowhere;
  CopyAll(plain, nowhere);
  return plain.Finish();
}

}  // namespace

void TakeBlob(Store& store, const specs::Descriptor& blob, Source& content,
              const std::optional<specs::Sha256>& diff_id) {
  const std::unique_ptr<AtomicFile> file = store.NewFile();
  BoundedSource bounded(content, blob.size, "the blob " + blob.digest.Oci());
  HashingSource source(bounded);
  CopyAll(source, *file);
  const specs::Sha256 found = source.Finish();
  if (found != blob.digest || source.count() != blob.size) {
    throw Wrong(blob, fmt::format("{}, {} bytes", found.Oci(), source.count()),
                fmt::format("{}, {} bytes", blob.digest.Oci(), blob.size));
  }
  if (diff_id && *diff_id != blob.digest) {
    file->Flush();
    const specs::Sha256 plain = DiffIdOf(file->temporary());
    if (plain != *diff_id) {
      throw Wrong(blob, "plain bytes of " + plain.Oci(), "those of " + diff_id->Oci());
    }
  }
  store.PutBlob(blob.digest, *file);
}

}  // namespace imgbuild::layers
