#include "builder/share/record_text.h"

#include <memory>

#include "layers/io/hashing.h"
#include "layers/io/stream.h"
#include "layers/write/compress.h"

namespace imgbuild::builder {

std::string PackRecord(std::string_view text) {
  const auto codec = layers::MakeCodec(layers::Compression::kZstd);
  std::string packed;
  for (std::size_t at = 0; at < text.size(); at += codec->piece_size()) {
    packed += codec->Compress(text.substr(at, codec->piece_size())).view();
  }
  return packed;
}

std::string UnpackRecord(std::string_view packed) {
  const auto codec = layers::MakeCodec(layers::Compression::kZstd);
  layers::MemorySource frame(packed);
  const auto plain = layers::DecompressFrame(frame, *codec);
  layers::BoundedSource bounded(*plain, kLargestRecord, "a record");
  return layers::ReadAll(bounded);
}

}  // namespace imgbuild::builder
