#include "specs/env/spec.h"

namespace imgbuild::specs {

std::string_view SuiteName(Suite suite) {
  switch (suite) {
    case Suite::kBookworm:
      return "bookworm";
    case Suite::kTrixie:
      return "trixie";
  }
  return "";
}

std::string_view ProfileName(Profile profile) {
  switch (profile) {
    case Profile::kSlim:
      return "slim";
    case Profile::kDistroless:
      return "distroless";
  }
  return "";
}

std::size_t BaseImagePath(std::string_view image) {
  for (std::string_view transport : {"oci:", "oci-archive:", "docker-archive:"}) {
    if (image.starts_with(transport)) return transport.size();
  }
  return std::string_view::npos;
}

}  // namespace imgbuild::specs
