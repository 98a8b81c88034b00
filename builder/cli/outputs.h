// Where a built image goes: -o oci:DIR[:TAG], oci-archive:FILE[:TAG], docker-archive:FILE[:NAME].
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "builder/ui/progress.h"
#include "layers/image/image.h"
#include "layers/image/image_source.h"
#include "layers/store/store.h"
#include "specs/env/loader.h"
#include "specs/env/spec.h"

namespace imgbuild::builder {

enum class OutputKind { kOci, kOciArchive, kDockerArchive };

struct Output {
  OutputKind kind = OutputKind::kOci;
  std::string path;
  std::vector<std::string> tags;  // for kDockerArchive full names: "notebook:latest"

  bool operator==(const Output&) const = default;

  // "oci:notebook.oci:notebook", as other tools take it.
  std::string Render() const;
};

// Without a name, the image is there under the spec's tags, and where it has none under its name,
// so that several specs can be built into one layout; in a docker-archive as NAME:TAG, NAME:latest.
// A docker-archive's NAME without a tag gets "latest". Throws Error (kUsage) for an unknown
// transport, an empty path, or a name that is none.
Output ParseOutput(std::string_view text, const specs::ImageSection& image);

// NAME.oci in the current directory, under the same; a name of several parts gives its last.
Output DefaultOutput(const specs::ImageSection& image);

// Throws Error (kUsage) where two specs have one DefaultOutput under one name: the image that is
// written later would take the place of the other.
void RequireApart(const std::vector<specs::LoadedSpec>& all);

// Throws Error where `output` cannot be written as things are: asked before the image is built.
void CheckOutput(const Output& output, const specs::ImageSection& image);

// With a bar for what takes long.
void WriteOutput(const Output& output, const layers::Image& image, layers::Store& store,
                 Progress& progress);
void WriteOutput(const Output& output, const layers::ImageSource& image, layers::Store& store,
                 Progress& progress);

}  // namespace imgbuild::builder
