// Plain layers, as docker's archives hold them, compressed for a registry.
#pragma once

#include "layers/image/image_source.h"
#include "layers/io/executor.h"
#include "layers/store/store.h"
#include "layers/write/compress.h"

namespace imgbuild::layers {

// The image with its plain layers (specs::kOciLayer) as `codec` compresses them, and a manifest
// that says so; diff ids and configuration stay. One without such layers, or with an index, comes
// back as it is. What was compressed once is found again in the store. Throws Error (kVerification)
// where a plain layer is damaged, which is gone from the store then.
ImageSource CompressLayers(Store& store, ImageSource image, const Codec& codec, Executor& executor);

}  // namespace imgbuild::layers
