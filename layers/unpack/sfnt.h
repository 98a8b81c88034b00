// What a font file says of itself (OpenType 1.9.1: "name", "OS/2" and "head" tables).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

namespace imgbuild::layers {

// Platform, encoding, language and name id, as in the "name" table.
using SfntNameKey = std::tuple<std::uint16_t, std::uint16_t, std::uint16_t, std::uint16_t>;

struct SfntFont {
  std::map<SfntNameKey, std::string> names;  // bytes as they stand there; the last of a key counts
  std::string family;                        // in ASCII, chosen and spelt as FreeType does
  std::uint16_t weight = 0;                  // usWeightClass
  bool italic = false;                       // fsSelection: italic or oblique
};

// nullopt for what is no font file of one face with these three tables inside it.
std::optional<SfntFont> ReadSfnt(std::string_view bytes);

}  // namespace imgbuild::layers
