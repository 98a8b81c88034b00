// The maintainer scripts that are known by what remains of them (see script.h): one table.
#pragma once

#include <string_view>

namespace imgbuild::builder {

// Whether a residue's fingerprint is known: its effects on a fresh installation are either made by
// package_effects.h and its neighbours, or there are none.
bool KnownScript(std::string_view fingerprint);

}  // namespace imgbuild::builder
