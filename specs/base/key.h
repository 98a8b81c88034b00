// Recipe keys: one hash over the named inputs of a step.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "specs/base/digest.h"

namespace imgbuild::specs {

// Each input is hashed with its name and both lengths, so that no two different lists of inputs
// collide by concatenation. The order of Add calls is part of the key.
class KeyBuilder {
 public:
  // `step` names the kind of key and its version: "deb-frame/1".
  explicit KeyBuilder(std::string_view step);

  KeyBuilder& Add(std::string_view name, std::string_view value);
  KeyBuilder& Add(std::string_view name, const Sha256& value);
  KeyBuilder& Add(std::string_view name, std::uint64_t value);

  // The key; the builder must not be used afterwards.
  Sha256 Finish();

 private:
  Sha256Hasher hasher_;
};

}  // namespace imgbuild::specs
