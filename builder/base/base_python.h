// The Python that a base image brings.
#pragma once

#include <string>
#include <string_view>

#include "layers/image/base_image.h"

namespace imgbuild::builder {

struct BasePython {
  std::string path;     // of the interpreter, absolute: "/usr/local/bin/python3.11"
  std::string version;  // full: "3.11.9"
  int glibc_major = 2;  // of the C library that it runs on
  int glibc_minor = 0;

  bool operator==(const BasePython&) const = default;
};

// The first of `version` ("3.11") on the image's PATH. Throws Error where there is none, naming
// those that there are, or where the image's C library is not glibc, which wheels are made for.
BasePython FindBasePython(const layers::BaseImage& base, std::string_view version);

// The image's PATH, or what runtimes take where it has none.
std::string BasePath(const layers::BaseImage& base);

// "Debian GNU/Linux 12 (bookworm)" (os-release(5), PRETTY_NAME); "" where it does not say.
std::string BaseSystemName(const layers::BaseImage& base);

}  // namespace imgbuild::builder
