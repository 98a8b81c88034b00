// Small files that say themselves whether they are whole.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace imgbuild::layers {

// The SHA-256 of `text` in hexadecimal, a line feed, `text`.
std::string Seal(std::string_view text);

// The text again; nullopt for anything that Seal did not make.
std::optional<std::string> Unseal(std::string_view sealed);

}  // namespace imgbuild::layers
