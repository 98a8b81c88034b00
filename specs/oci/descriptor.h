// Content descriptors (OCI image-spec v1.1, descriptor.md).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "specs/base/digest.h"
#include "specs/oci/platform.h"

namespace imgbuild::specs {

struct Descriptor {
  std::string media_type;
  Sha256 digest;
  std::uint64_t size = 0;  // bytes
  std::optional<Platform> platform;
  std::map<std::string, std::string> annotations;

  bool operator==(const Descriptor&) const = default;
};

}  // namespace imgbuild::specs
