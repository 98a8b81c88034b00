// The lock: every package of an environment by name, version and hash. One of the three narrow
// waists: resolving makes it, building only reads it. Names sources logically, never by host.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "specs/base/digest.h"
#include "specs/oci/platform.h"

namespace imgbuild::specs {

enum class PackageKind { kDeb, kWheel };

// LockedPackage::source of a wheel that lies beside the spec, and of what [[artifacts]] names,
// which is never in a lock.
inline constexpr std::string_view kLocalSource = "local";
inline constexpr std::string_view kArtifactSource = "artifact";

struct LockedPackage {
  PackageKind kind = PackageKind::kDeb;
  std::string name;          // Debian name, or PEP 503 normalised name
  std::string version;       // as the archive or the wheel writes it
  std::string architecture;  // debs: "amd64", "arm64", "all"; wheels: ""
  std::string file;          // archive file name: "libc6_2.36-9_amd64.deb", "x-1-py3-none-any.whl"
  std::uint64_t size = 0;    // bytes; 0 where the index does not say
  Sha256 sha256;
  std::string source;  // logical: "bookworm/main", "bookworm-security/main", "default" or an
                       // index's name, "local"
  std::string
      path;  // hint, relative to the mirror (debs) or to the spec (local wheels); "" for an index
  std::vector<std::string> required_by;  // names of what needs it, "spec" for the spec itself,
                                         // "cuda" for its CUDA section; sorted
  std::string layer;                     // "base", "cuda", "python", or the [[python.layers]] name
  std::string only_with;  // "cuda": an image has it only where that section is enabled; else ""

  bool operator==(const LockedPackage&) const = default;
};

// One suite whose Release file was used.
struct LockedSuite {
  std::string name;  // "bookworm", "bookworm-security", "bookworm-updates"
  std::string date;  // Release's Date, RFC 3339 in UTC: "2026-11-01T10:00:00Z"
  Sha256 digest;     // of the verified Release text

  bool operator==(const LockedSuite&) const = default;
};

// The image to build on, as the spec names it and as it was found.
struct LockedBase {
  std::string image;       // as the canonical spec has it
  std::string media_type;  // of its manifest or index
  Sha256 digest;
  std::uint64_t size = 0;  // bytes of the same

  bool operator==(const LockedBase&) const = default;
};

struct LockedPlatform {
  Platform platform;
  std::vector<LockedPackage> packages;  // debs by name, then wheels by name
  std::string cuda_problem;  // why the CUDA section could not be had, as a message; then no package
                             // is there for it. "" where it could, or there is none

  bool operator==(const LockedPlatform&) const = default;
};

// Python packages that compile .pyc on a host of that architecture; never part of the image.
struct LockedCompiler {
  Platform host;
  std::vector<LockedPackage> packages;  // debs

  bool operator==(const LockedCompiler&) const = default;
};

struct Lock {
  std::uint32_t format = 1;
  Sha256 inputs;               // digest of what resolution depends on in the spec
  std::string packer;          // version of imgbuild that wrote it; for information
  std::string python_version;  // full: "3.11.2"; markers and .pyc depend on it
  std::optional<LockedBase> base;
  std::vector<LockedSuite> suites;
  std::vector<LockedPlatform> platforms;
  std::vector<LockedCompiler> compilers;  // none where nothing is compiled

  bool operator==(const Lock&) const = default;
};

// REQUIRES: the lock has the platform.
const LockedPlatform& LockedFor(const Lock& lock, const Platform& platform);

// The command that moves a locked package to another version: "imgbuild lock --upgrade NAME FILE".
// Without a name it only locks again.
std::string LockCommand(std::string_view spec_file, std::string_view name = "");

// TOML in a stable order. ParseLock(RenderLock(lock)) == lock.
std::string RenderLock(const Lock& lock);

// Throws Error (kUsage) with file:line:column for each thing that is not a lock of a format this
// program knows. `file` names the text in messages.
Lock ParseLock(std::string_view text, std::string_view file);

}  // namespace imgbuild::specs
