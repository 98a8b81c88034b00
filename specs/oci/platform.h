// A platform as OCI image indexes name it (image-spec, image-index.md, "platform"), and as Debian
// and wheels name the same machine.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

namespace imgbuild::specs {

// The machines that images are made for.
enum class Architecture { kAmd64, kArm64 };

// "amd64", "arm64": Debian and OCI agree.
std::string_view ArchitectureName(Architecture architecture);
// "x86_64", "aarch64": the name in wheel tags, ELF triplets and `platform.machine()`.
std::string_view MachineName(Architecture architecture);

// Always Linux.
struct Platform {
  Architecture architecture = Architecture::kAmd64;

  auto operator<=>(const Platform&) const = default;

  // "linux/amd64", "linux/arm64" (also "linux/arm64/v8"); nullopt for anything else.
  static std::optional<Platform> Parse(std::string_view text);
  // "linux/amd64", "linux/arm64"; Parse(Render()) gives the same value back.
  std::string Render() const;
};

// The platform this program was compiled for.
Platform HostPlatform();

}  // namespace imgbuild::specs
