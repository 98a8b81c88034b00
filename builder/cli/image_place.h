// Where an image is or goes: docker://HOST/NAME[:TAG|@DIGEST], oci:DIR[:TAG],
// oci-archive:FILE[:TAG], docker-archive:FILE[:NAME[:TAG]], as podman and skopeo write them.
#pragma once

#include <string>
#include <string_view>

#include "specs/oci/reference.h"

namespace imgbuild::builder {

enum class PlaceKind { kRegistry, kOci, kOciArchive, kDockerArchive };

struct ImagePlace {
  PlaceKind kind = PlaceKind::kRegistry;
  specs::Reference reference;  // kRegistry
  std::string path;            // the others
  std::string name;            // the others; "" where none is given

  bool operator==(const ImagePlace&) const = default;

  // ParsePlace(Render()) gives the same value back.
  std::string Render() const;
};

// Whether it begins with one of them: "oci:".
bool HasTransport(std::string_view text);

// Without a transport it is a registry's. Throws Error (kUsage) for what is no place.
ImagePlace ParsePlace(std::string_view text);

// The same for a registry's alone, "docker://" or without. Throws Error (kUsage) for others.
specs::Reference ParseRegistryPlace(std::string_view text);

// What manifests of the registry are asked for: the digest, else the tag, else "latest".
std::string ReferenceText(const specs::Reference& reference);

}  // namespace imgbuild::builder
