// The interpreter and machine that packages are resolved for.
#pragma once

#include <string>
#include <string_view>

#include "specs/oci/platform.h"
#include "specs/python/marker.h"
#include "specs/python/tags.h"
#include "specs/python/version.h"

namespace imgbuild::builder {

// CPython on Linux with glibc.
struct PythonTarget {
  specs::Version version;    // full: 3.11.2, as Requires-Python and markers see it
  std::string version_text;  // the same as the interpreter writes it
  specs::Platform platform;
  specs::TagList tags;  // of wheels that fit, best first
  specs::MarkerEnvironment markers;
  std::string description;  // "CPython 3.11.2 on linux/amd64 with glibc 2.36"
};

// Throws Error (kUsage) where `version` is not CPython 3.x.y. The default glibc is that of the
// Debian release that brings this Python: 2.36 up to 3.11, 2.41 after it.
PythonTarget MakeTarget(std::string_view version, const specs::Platform& platform);
PythonTarget MakeTarget(std::string_view version, const specs::Platform& platform,
                        specs::TagList::Glibc glibc);

// "3.12" with the latest patch release this program knows: "3.12.12"; anything longer as it is.
std::string LatestPatch(std::string_view version);

}  // namespace imgbuild::builder
