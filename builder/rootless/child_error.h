// An Error on its way from a forked process to the one that waits for it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "specs/base/error.h"

namespace imgbuild::builder {

// ParseError(RenderError(e)) has the kind, message, found, expected and hint of e.
std::string RenderError(const specs::Error& error);
// Nullopt for "", which says that nothing went wrong.
std::optional<specs::Error> ParseError(std::string_view text);

}  // namespace imgbuild::builder
