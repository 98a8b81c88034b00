// A suite's Release file (Debian wiki, DebianRepository/Format; apt-secure(8)): what it is, until
// when it holds, and the digests of its Packages files.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "specs/base/digest.h"

namespace imgbuild::builder {

struct ReleaseEntry {
  std::uint64_t size = 0;
  specs::Sha256 sha256;

  bool operator==(const ReleaseEntry&) const = default;
};

struct ReleaseFile {
  std::string suite;      // "oldstable-security"
  std::string codename;   // "bookworm-security"
  std::int64_t date = 0;  // seconds since the epoch
  std::optional<std::int64_t> valid_until;
  bool acquire_by_hash = false;
  std::vector<std::string> components;
  std::vector<std::string> architectures;
  // SHA256 entries by path below the suite's folder; Packages files only, in every compression.
  std::map<std::string, ReleaseEntry, std::less<>> packages;

  bool operator==(const ReleaseFile&) const = default;
};

// Parses verified text. Throws Error with `file`:line for what is no Release file, lacks Date or
// SHA256, or has a malformed digest.
ReleaseFile ParseRelease(std::string_view text, std::string_view file);

// "Sat, 11 Jul 2026 10:16:37 UTC" (also GMT and +0000) as seconds since the epoch.
std::optional<std::int64_t> ParseReleaseDate(std::string_view text);

// RFC 3339 in UTC: "2026-07-11T10:16:37Z".
std::string Rfc3339(std::int64_t seconds);

// "20260711T101637Z", the form of snapshot archives, from what Rfc3339 gives; nullopt for anything
// else.
std::optional<std::string> SnapshotTimestamp(std::string_view rfc3339);

}  // namespace imgbuild::builder
