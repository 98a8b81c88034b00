// A package's record on its way, the text that layers::RenderPackage gives, or the listing of a
// base image's layer: as a zstd frame.
#pragma once

#include <string>
#include <string_view>

namespace imgbuild::builder {

// Bounds of what is believed to be a record: compressed, and plain.
inline constexpr std::size_t kLargestPackedRecord = 16u << 20;
inline constexpr std::size_t kLargestRecord = 64u << 20;

// UnpackRecord(PackRecord(text)) == text. UnpackRecord throws Error for anything else.
std::string PackRecord(std::string_view text);
std::string UnpackRecord(std::string_view packed);

}  // namespace imgbuild::builder
