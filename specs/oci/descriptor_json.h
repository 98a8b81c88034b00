// Descriptors inside larger documents.
#pragma once

#include <map>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "specs/oci/descriptor.h"

namespace imgbuild::specs {

nlohmann::ordered_json ToJson(const Descriptor& descriptor);

// Keys that are not known are passed over, platforms that are not known are left out. Throws Error,
// or what the JSON library throws, for anything that is no descriptor with a sha256 digest.
Descriptor ToDescriptor(const nlohmann::json& json);
std::vector<Descriptor> ToDescriptors(const nlohmann::json& json);

// The member "annotations" of `json`, if it has one.
std::map<std::string, std::string> AnnotationsOf(const nlohmann::json& json);

}  // namespace imgbuild::specs
