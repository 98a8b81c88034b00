// Every key that a spec may have: what the reader accepts, suggests from and docs/spec.md explains.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace imgbuild::specs {

struct SpecTable {
  std::string_view path;  // "" for the top, "image", "python.layers" (each), "services.NAME" (each)
  std::vector<std::string_view> keys;
};

std::span<const SpecTable> SpecTables();
// REQUIRES: one of SpecTables().
const SpecTable& SpecTableOf(std::string_view path);

}  // namespace imgbuild::specs
