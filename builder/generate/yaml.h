// YAML 1.2 as people write it.
#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

namespace imgbuild::builder {

// `value` in block style; texts are plain where that cannot be taken for anything else, in YAML 1.1
// either, else in quotes. A parser gives `value` back.
std::string RenderYaml(const nlohmann::ordered_json& value);

}  // namespace imgbuild::builder
