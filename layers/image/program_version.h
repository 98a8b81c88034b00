// Versions that programs carry in their own bytes: what an image's Python and C library are,
// whoever installed them and however.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace imgbuild::layers {

enum class ProgramKind { kOther, kPython, kGlibc };

// By its path: "usr/local/bin/python3.11" and "usr/local/lib/libpython3.11.so.1.0" (either may have
// CPython's version), "lib/x86_64-linux-gnu/libc.so.6".
ProgramKind ProgramKindOf(std::string_view path);

// "3.11.2" of CPython (PY_VERSION), "2.36" of the GNU C library (its banner); nullopt where the
// content has none.
std::optional<std::string> ProgramVersion(ProgramKind kind, std::string_view path,
                                          std::string_view content);

}  // namespace imgbuild::layers
