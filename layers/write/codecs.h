// The two codecs behind MakeCodec, each in the one file that knows its library.
#pragma once

#include <memory>

#include "layers/write/compress.h"

namespace imgbuild::layers {

std::unique_ptr<const Codec> MakeZstdCodec(int level);
std::unique_ptr<const Codec> MakeGzipCodec(int level);

}  // namespace imgbuild::layers
