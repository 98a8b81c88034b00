// What a Debian archive offers, as the resolver asks for it: candidates and providers by name over
// several Packages files (Debian Policy 5 and 7), each mapped from its compact form.
#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "specs/base/digest.h"
#include "specs/debian/package_fields.h"
#include "specs/debian/version.h"
#include "specs/oci/platform.h"

namespace imgbuild::builder {

class PackageTable;  // one mapped Packages file: package_table.h

enum class RelationKind : std::uint8_t {
  kPreDepends,
  kDepends,
  kRecommends,
  kConflicts,
  kBreaks,
  kProvides,  // each group has one alternative; op is kAny or kEqual
};
inline constexpr std::size_t kRelationKinds = 6;

// One alternative of a relation. The views live as long as the PackageIndex. Architecture
// restrictions were applied when the index was built.
struct RelationView {
  std::string_view name;
  std::string_view qualifier;  // after the colon: "any", "native", "amd64"; usually ""
  specs::VersionOp op = specs::VersionOp::kAny;
  std::string_view version;

  bool operator==(const RelationView&) const = default;

  bool SatisfiedBy(std::string_view candidate_version) const {
    return specs::SatisfiesVersion(candidate_version, op, version);
  }
  // "libc6 (>= 2.36)", "python3:any"
  std::string Render() const;
};

// In order of preference; never empty.
using AlternativesView = std::vector<RelationView>;

// One Packages file and what it is called.
struct PackageSource {
  std::string name;  // logical: "bookworm/main", "bookworm-security/main"
  std::shared_ptr<const PackageTable> table;
};

// One version of one package: a handle of two words, to be passed by value. Valid as long as the
// PackageIndex it comes from. Ordered by source, then by place in its Packages file.
class Package {
 public:
  Package(const PackageSource* source, std::uint32_t record) : source_(source), record_(record) {}

  std::string_view name() const;
  std::string_view version() const;
  std::string_view architecture() const;  // "amd64", "arm64" or "all"
  std::string_view section() const;
  // The Source field as it stands ("glibc", "gcc-12 (12.2.0-14)"); "" where it is absent, which
  // means the package's own name and version.
  std::string_view source_package() const;
  std::string_view filename() const;     // relative to the mirror's base
  std::uint64_t size() const;            // of the .deb, bytes
  std::uint64_t installed_size() const;  // bytes (the field counts KiB)
  specs::Sha256 sha256() const;
  specs::DebianPriority priority() const;
  specs::MultiArch multi_arch() const;
  bool essential() const;
  // The logical source, as PackageSource names it.
  std::string_view source() const { return source_->name; }

  // The groups that all have to hold; empty where the package lacks the field.
  std::vector<AlternativesView> Relations(RelationKind kind) const;

  auto operator<=>(const Package&) const = default;

 private:
  const PackageSource* source_;  // in the index's array, whose order is that of the sources
  std::uint32_t record_;
};

// A package that provides a name other than by being called so.
struct ProvidingPackage {
  Package package;
  std::string_view version;  // of the versioned Provides; "" where it has none
};

// Immutable and cheap to copy; every member may be called from several threads. Reading throws
// Error where a mapped file was damaged behind our back.
class PackageIndex {
 public:
  // Sources in order of preference among equal versions.
  explicit PackageIndex(std::vector<PackageSource> sources);

  // Parses Packages files in memory; for tests and tools.
  struct Text {
    std::string source;
    std::string packages;
  };
  static PackageIndex FromText(const std::vector<Text>& texts, specs::Architecture architecture);

  // Versions of the package of that very name: highest first, earlier sources first among equal
  // ones; the same version from a later source is left out. Empty if there is none.
  std::vector<Package> Candidates(std::string_view name) const;

  // Packages that list `name` in Provides, each once per Provides entry: by source, then by
  // package name, highest version first.
  std::vector<ProvidingPackage> Providers(std::string_view name) const;

  // Every package of every source, in order of `<=>`: for questions like "which are Essential".
  std::vector<Package> All() const;

  // Names near to one that does not exist, best first, for a hint.
  std::vector<std::string> NamesNear(std::string_view name) const;

  std::size_t size() const;

 private:
  std::shared_ptr<const std::vector<PackageSource>>
      sources_;  // shared by copies: handles stay valid
};

}  // namespace imgbuild::builder
