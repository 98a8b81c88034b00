// Relationship fields: Depends, Conflicts, Provides and the like (Debian Policy 7.1, 7.5 and
// deb-src-control(5) for architecture and profile restrictions).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "specs/debian/version.h"
#include "specs/oci/platform.h"

namespace imgbuild::specs {

// A name with an optional "!" before it, as in [linux-any !arm64] and <!nocheck>.
struct Restriction {
  std::string name;
  bool negated = false;

  bool operator==(const Restriction&) const = default;
};

// One alternative: name[:qualifier] [(op version)] [[architectures]] [<profiles>...]
struct DebianRelation {
  std::string name;
  std::string qualifier;  // after the colon: "any", "native", "amd64"; "" where there is none
  VersionOp op = VersionOp::kAny;
  std::string version;  // "" exactly when op is kAny
  std::vector<Restriction> architectures;
  std::vector<std::vector<Restriction>> profiles;  // outer: or; inner: and

  bool operator==(const DebianRelation&) const = default;
};

// One of them has to hold; in order of preference.
using DebianAlternatives = std::vector<DebianRelation>;

// All groups have to hold, each by one of its alternatives.
using DebianRelations = std::vector<DebianAlternatives>;

// Parses a whole field. The old operators "<" and ">" mean "<=" and ">=", as dpkg reads them.
// Empty entries (a trailing comma) are passed over. Throws Error that shows the place otherwise.
DebianRelations ParseDebianRelations(std::string_view field);

// "a (>= 1) | b:any, c [amd64] <!nocheck>". ParseDebianRelations(RenderDebianRelations(r)) == r
// for everything that ParseDebianRelations returns.
std::string RenderDebianRelations(const DebianRelations& relations);

// The alternatives that hold on `architecture` with no build profile active, without their
// restrictions; groups that become empty are dropped.
DebianRelations RelationsFor(const DebianRelations& relations, Architecture architecture);

// Whether an architecture name or wildcard ("any", "linux-any", "any-arm64", "all") covers it.
bool ArchitectureMatches(std::string_view pattern, Architecture architecture);

}  // namespace imgbuild::specs
