// Names of Python projects that many people ask for, to suggest one where a name is mistyped: an
// index cannot be asked for near names.
#pragma once

#include <span>
#include <string_view>

namespace imgbuild::builder {

std::span<const std::string_view> WellKnownProjects();

}  // namespace imgbuild::builder
