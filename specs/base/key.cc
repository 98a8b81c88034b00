#include "specs/base/key.h"

#include <fmt/core.h>

namespace imgbuild::specs {

KeyBuilder::KeyBuilder(std::string_view step) { Add("step", step); }

KeyBuilder& KeyBuilder::Add(std::string_view name, std::string_view value) {
  hasher_.Update(fmt::format("{}:{}={}:", name.size(), name, value.size()));
  hasher_.Update(value);
  return *this;
}

KeyBuilder& KeyBuilder::Add(std::string_view name, const Sha256& value) {
  return Add(name, std::string_view(value.Hex()));
}

KeyBuilder& KeyBuilder::Add(std::string_view name, std::uint64_t value) {
  return Add(name, std::string_view(fmt::format("{}", value)));
}

Sha256 KeyBuilder::Finish() { return hasher_.Finish(); }

}  // namespace imgbuild::specs
