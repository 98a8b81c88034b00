// What the user reads when a build is done.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "builder/assemble/build_image.h"
#include "builder/cli/outputs.h"
#include "builder/cli/pushes.h"
#include "builder/share/cache_target.h"
#include "builder/share/shared_places.h"
#include "specs/env/loader.h"

namespace imgbuild::builder {

struct PhaseTime {
  std::string name;  // "lock", "build", "write"
  std::uint64_t milliseconds = 0;
};

struct BuildSummary {
  const specs::LoadedSpec& loaded;
  const BuiltImage& built;
  specs::Sha256 digest;  // under which outputs and registries have the image
  const std::vector<Output>& outputs;
  const std::vector<Pushed>& pushed;
  std::vector<SharedUse> shared = {};       // what came from shared caches
  std::vector<ExportResult> exported = {};  // what went to them
  std::vector<PhaseTime> phases = {};
  std::string lock_file = {};
  bool resolved = false;
  std::vector<std::string> notes = {};  // lines on what became of the spec
  std::uint32_t uid = 0;                // of whoever runs this program
  bool gpu = false;                     // whether this machine has one that containers can use
};

// Several lines: image and digest, layers with sizes and whether they were made, times, and the
// line to paste to run it, with ports on loopback and the current directory at the image's workdir.
std::string RenderSummary(const BuildSummary& summary);

// The same as one JSON object: {"event": "built", "image", "digest", "shared", "exported",
// "outputs", "pushed", "notes", "platforms": [...]}.
std::string RenderSummaryJson(const BuildSummary& summary);

}  // namespace imgbuild::builder
