// The container engine of this machine.
#pragma once

#include <string>
#include <string_view>

#include "builder/host/environment.h"

namespace imgbuild::builder {

enum class EngineKind { kPodman, kDocker, kNerdctl };

struct Engine {
  EngineKind kind = EngineKind::kPodman;
  std::string program;   // "podman", or as IMGBUILD_ENGINE names it
  bool as_root = false;  // whoever runs this program is root

  bool operator==(const Engine&) const = default;
};

// The first of podman, docker and nerdctl in PATH; or IMGBUILD_ENGINE, one of these names or a path
// that ends in one. Throws Error where there is none.
Engine FindEngine(const Environment& environment, std::uint32_t uid);

// Whose rights the root of its containers has, and how whoever runs this program, `uid`, is seen in
// them therefore: 0 where that user is their root, as with nerdctl and docker when their daemon is
// the user's own, else `uid`. podman maps whom it is told to.
std::uint32_t CallerOf(const Engine& engine, std::uint32_t uid);

// Whether what ran in the background is removed by the engine itself once it has ended: nerdctl
// takes no --rm together with -d.
bool RemovesDetached(const Engine& engine);

}  // namespace imgbuild::builder
