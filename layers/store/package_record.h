// What the store keeps of a processed package, as one text: which frame holds its files, then its
// facts. Machines that share what they made pass it on as it is.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "layers/store/store.h"

namespace imgbuild::layers {

// A line of the frame's codec, sizes and digest, then the facts. ParsePackage gives the same back,
// without a path; nullopt for anything else. What the facts hold is not looked at.
std::string RenderPackage(const FrameRecord& frame, std::string_view facts);
std::optional<StoredPackage> ParsePackage(std::string_view text);

}  // namespace imgbuild::layers
