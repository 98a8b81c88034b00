#include "specs/oci/platform.h"

namespace imgbuild::specs {

std::string_view ArchitectureName(Architecture architecture) {
  switch (architecture) {
    case Architecture::kAmd64:
      return "amd64";
    case Architecture::kArm64:
      return "arm64";
  }
  return "";
}

std::string_view MachineName(Architecture architecture) {
  switch (architecture) {
    case Architecture::kAmd64:
      return "x86_64";
    case Architecture::kArm64:
      return "aarch64";
  }
  return "";
}

std::optional<Platform> Platform::Parse(std::string_view text) {
  if (text == "linux/amd64") return Platform{Architecture::kAmd64};
  if (text == "linux/arm64" || text == "linux/arm64/v8") return Platform{Architecture::kArm64};
  return std::nullopt;
}

std::string Platform::Render() const {
  return "linux/" + std::string(ArchitectureName(architecture));
}

Platform HostPlatform() {
#if defined(__aarch64__)
  return {Architecture::kArm64};
#else
  return {Architecture::kAmd64};
#endif
}

}  // namespace imgbuild::specs
