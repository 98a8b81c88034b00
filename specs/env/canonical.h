// The canonical form of a spec and the digests that identify it.
#pragma once

#include <string>
#include <string_view>

#include "specs/base/digest.h"
#include "specs/env/spec.h"

namespace imgbuild::specs {

// One spec.toml without overlays, extends, defaults left open or requirement files: the same text
// for the same environment, wherever it lies. It parses to an equal spec but for what belongs to
// the host and is left out: mirrors, snapshots, keyrings and index URLs. Paths of files,
// certificates and local wheels are relative to `folder`, the spec's; of paths outside it, only the
// last part stays. It holds no secret, since specs hold none.
std::string RenderCanonical(const Spec& spec, std::string_view folder);

// Over all that resolution depends on: packages, constraints, versions, suite, profile, platforms,
// exclude-newer, names of indexes and what comes from them, the CUDA section but for `enabled`.
// Not over services, env, files, mirrors or URLs. Lock::inputs holds it.
Sha256 ResolutionInputs(const Spec& spec);

// Over RenderCanonical.
Sha256 SpecDigest(const Spec& spec, std::string_view folder);

// A path of the host as all of these write it: relative to `folder`; of one outside it, the last
// part.
std::string CanonicalPath(const std::string& path, std::string_view folder);

// SystemSection::image with a file's path relative to `folder`.
std::string CanonicalBaseImage(const std::string& image, std::string_view folder);

}  // namespace imgbuild::specs
