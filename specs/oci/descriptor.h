// Content descriptors and digests (OCI image-spec v1.1, descriptor.md).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "specs/base/digest.h"
#include "specs/oci/platform.h"

namespace imgbuild::specs {

// "Digests": exactly "sha256:" and 64 lower-case hexadecimal digits. ParseDigest(d.Oci()) == d.
std::optional<Sha256> ParseDigest(std::string_view text);

struct Descriptor {
  std::string media_type;
  Sha256 digest;
  std::uint64_t size = 0;  // bytes
  std::optional<Platform> platform;
  std::map<std::string, std::string> annotations;

  bool operator==(const Descriptor&) const = default;
};

// Fixed key order and no optional white space: equal values give equal bytes.
std::string RenderDescriptor(const Descriptor& descriptor);

}  // namespace imgbuild::specs
