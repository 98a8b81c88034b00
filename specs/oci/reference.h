// Names of images in registries (OCI distribution-spec v1.1, "Pulling manifests"):
// registry.example:5000/team/notebook:1.2@sha256:...
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "specs/base/digest.h"

namespace imgbuild::specs {

// <name>: components of lower-case letters and digits with ".", "_", "__" or dashes between, joined
// by "/", 255 bytes at most.
bool IsRepositoryName(std::string_view text);
// <reference> as a tag: a letter, digit or "_", then up to 127 more, or "." and "-".
bool IsTagName(std::string_view text);
// What stands before the first "/" of a reference: a host name, an IPv4 address or a bracketed IPv6
// address (RFC 3986, 3.2.2), each with or without ":" and a port.
bool IsRegistryHost(std::string_view text);
// The annotation org.opencontainers.image.ref.name (image-spec v1.1, annotations.md): wider than a
// tag, "team/notebook:1.2" among them.
bool IsRefName(std::string_view text);

struct Reference {
  std::string registry;    // "registry.example:5000"; "" where none is named: none is assumed
  std::string repository;  // "team/notebook"
  std::string tag;         // "" where none is named
  std::optional<Sha256> digest;

  bool operator==(const Reference&) const = default;

  // ParseReference(r.Render()) == r.
  std::string Render() const;
};

// What stands before the first "/" is the registry where it has a "." or ":", is "localhost", or
// has a form that only hosts have; else it belongs to the repository. Throws Error (kUsage) that
// tells the wrong part.
Reference ParseReference(std::string_view text);

}  // namespace imgbuild::specs
