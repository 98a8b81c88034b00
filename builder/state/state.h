// What dpkg's maintainer scripts would have left behind (Debian Policy 6; FHS 3.0), made from the
// packages' facts: accounts, merged /usr, certificates, alternatives, the linker's cache, dpkg's
// database. Nothing is executed and nothing is read from this host.
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "layers/tree/facts.h"
#include "layers/tree/file_tree.h"
#include "specs/env/spec.h"
#include "specs/oci/platform.h"

namespace imgbuild::builder {

// A certificate authority of the user's own, for the image's bundle.
struct ExtraCertificate {
  std::string name;  // file name without folder; ".crt" is added where it lacks: "corp.crt"
  std::string pem;   // one or more certificates (RFC 7468)

  bool operator==(const ExtraCertificate&) const = default;
};

// Everything the state depends on. Facts are borrowed for the call.
struct StateInput {
  specs::Suite suite = specs::Suite::kBookworm;
  specs::Profile profile = specs::Profile::kSlim;
  specs::Architecture architecture = specs::Architecture::kAmd64;

  // All Debian packages of the image, in any order; each once.
  std::vector<const layers::PackageFacts*> packages;
  // Files beside the packages that ldconfig would see, such as wheels below `library_dirs`.
  std::vector<const layers::PackageFacts*> others;

  std::string timezone = "Etc/UTC";            // a file below usr/share/zoneinfo
  std::string workdir = "/work";               // absolute; made 0775 for the image's user
  std::vector<ExtraCertificate> certificates;  // in the spec's order
  // Absolute folders that a file of etc/ld.so.conf.d lists before the packages' own.
  std::vector<std::string> library_dirs;
};

struct SystemState {
  layers::ContentTree files;  // with kFixedTime; directories where no package has them
  // What works in the image with restrictions: one sentence each, naming the package.
  std::vector<std::string> warnings;
};

// The image's own user.
inline constexpr std::uint32_t kUserId = 1000;
inline constexpr std::uint32_t kUserGroup = 0;
inline constexpr std::string_view kUserName = "user";
inline constexpr std::string_view kUserHome = "/home/user";

// Versions what MakeSystemState makes of the same input: part of each cache key.
inline constexpr std::string_view kStateVersion = "state/1";

// All generated files. They win over packages' files at the same path (etc/passwd and the like are
// never in packages). The result does not depend on the order of `packages`.
//
// Throws Error for a package whose scripts do something that is not known here (naming package,
// script and the first lines that were not understood), for a time zone that tzdata has not, for a
// certificate that is none, and for a file that two scripts write differently.
SystemState MakeSystemState(const StateInput& input);

// Debian's packages of time zones.
inline constexpr auto kTimezonePackages =
    std::to_array<std::string_view>({"tzdata", "tzdata-legacy"});

// Throws Error, with near names, where none of `packages` brings the zone. MakeSystemState asks it
// too; here it can be asked before all packages are there.
void RequireTimezone(std::string_view zone, std::span<const layers::PackageFacts* const> packages);

// var/lib/dpkg/status.d/NAME: the package's control stanza, as scanners of images without dpkg
// read it. The path and the file; it belongs into the package's own layer. Images with dpkg have
// these paragraphs in var/lib/dpkg/status instead (see HasDpkg).
std::pair<std::string, layers::ContentFile> RenderStatusD(const layers::PackageFacts& package);

// Whether dpkg itself is among the packages: then MakeSystemState writes a whole var/lib/dpkg and
// RenderStatusD's files have no use.
bool HasDpkg(std::span<const layers::PackageFacts* const> packages);

}  // namespace imgbuild::builder
