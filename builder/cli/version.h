// The version of this program.
#pragma once

namespace imgbuild::builder {

inline constexpr char kVersion[] = IMGBUILD_VERSION;

}  // namespace imgbuild::builder
