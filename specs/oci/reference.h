// Names of images in registries: HOST[:PORT]/PATH[:TAG][@DIGEST] (OCI distribution-spec v1.1,
// "Pulling manifests", for <name> and <reference>; the host as containers' and docker's references
// write it).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "specs/base/digest.h"

namespace imgbuild::specs {

struct Reference {
  std::string registry;          // "registry.example:5000"
  std::string repository;        // "team/notebook"
  std::string tag;               // "" where none is given
  std::optional<Sha256> digest;  // goes before the tag

  bool operator==(const Reference&) const = default;

  // "registry.example:5000/team/notebook", or "team/notebook" without a registry
  std::string Name() const;
  // With tag and digest, as it was given.
  std::string Render() const;
};

// Throws Error (kUsage) that says which part is wrong. No registry is assumed: a name without a
// host ("python:3.11") is refused, since what it means differs from machine to machine.
Reference ParseReference(std::string_view text);

// The same for names in archives and layouts, which may be of no registry: `registry` is "" then.
Reference ParseImageName(std::string_view text);

// <name> of the specification: lower-case path components of letters and digits, joined by ".",
// "_", "__" or hyphens; at most 255 bytes.
bool IsRepositoryName(std::string_view name);

// <reference> as a tag: at most 128 letters, digits, "_", "." and "-", not beginning with the
// latter two.
bool IsTag(std::string_view tag);

// The annotation org.opencontainers.image.ref.name (image-spec v1.1, annotations.md), which is
// wider than a tag: "team/notebook:1.2" is one.
bool IsRefName(std::string_view name);

// "host.example", "host:port", "[::1]:port" (RFC 3986, 3.2.2); what tells a registry from the first
// part of a path: a dot, a colon, or "localhost".
bool IsRegistryHost(std::string_view host);

}  // namespace imgbuild::specs
