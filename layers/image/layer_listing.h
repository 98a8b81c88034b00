// What lies in one layer of somebody's image (OCI image-spec v1.1, layer.md), as far as building on
// it needs: paths, modes, links, and the few contents that decide something.
#pragma once

#include <cstdint>
#include <string_view>

#include "layers/io/stream.h"
#include "layers/tree/facts.h"
#include "specs/base/digest.h"

namespace imgbuild::layers {

// Versions what ListLayer finds in the same bytes.
inline constexpr std::string_view kListingVersion = "listing/2";

// Kept in `PackageFacts::control`, before the path that each was found at.
inline constexpr std::string_view kPythonMark =
    "python ";  // "3.11.2", of an interpreter or its library
inline constexpr std::string_view kGlibcMark = "glibc ";  // "2.36", of a C library

struct LayerListing {
  // Of kind "layer". Whiteouts are files of their names (".wh.*"), hard links are files of no size;
  // files have no digest. `contents` has accounts, os-release, dpkg's status, CA bundles.
  PackageFacts facts;
  std::uint64_t plain_size = 0;  // bytes of the tar

  bool operator==(const LayerListing&) const = default;
};

// Reads a whole layer in any compression. Throws Error (kVerification) where its plain bytes are
// not those of `diff_id`, and Error for what is no tar, or has a path that leads out of the root.
LayerListing ListLayer(Source& layer, const specs::Sha256& diff_id);

}  // namespace imgbuild::layers
