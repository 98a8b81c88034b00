// One Packages file (Debian Policy 5.3) in compact form: mapped in microseconds, read in place.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "builder/debian/package_table_format.h"
#include "layers/io/file.h"
#include "specs/base/digest.h"
#include "specs/oci/platform.h"

namespace imgbuild::builder {

// Parses `packages` into the bytes of a table that carries `inputs`. Packages of architectures
// other than `architecture` and "all" are left out, as are relations restricted to others. `file`
// names the text in messages. Throws Error for a malformed stanza, relation or number, and for a
// package without name, version, file name, size or SHA-256, with the line.
std::string CompilePackages(std::string_view packages, specs::Architecture architecture,
                            std::string_view file, const specs::Sha256& inputs);

// The key of such a table: the digest of the Packages text, the architecture and the format.
specs::Sha256 PackageTableKey(const specs::Sha256& packages, specs::Architecture architecture);

// Reads check every index against its section and throw Error where it leads out of it, so that no
// bytes can make them read elsewhere. Thread-safe.
class PackageTable {
 public:
  // nullptr where there is no such file, or it is not a whole table of this format made from
  // `inputs`. Does not read the sections: the cost does not grow with them.
  static std::shared_ptr<const PackageTable> Map(const std::filesystem::path& path,
                                                 const specs::Sha256& inputs);
  // Takes over the bytes of CompilePackages; nullptr likewise.
  static std::shared_ptr<const PackageTable> FromBytes(std::string bytes,
                                                       const specs::Sha256& inputs);

  // Whether the sections still are what was written.
  bool IsIntact() const;

  std::uint32_t package_count() const { return static_cast<std::uint32_t>(packages_.size()); }
  std::uint32_t name_count() const { return static_cast<std::uint32_t>(names_.size()); }

  std::optional<std::uint32_t> FindName(std::string_view name) const;

  // The ranges within a package and a name are checked with it.
  const RawPackage& PackageAt(std::uint32_t index) const;
  const RawName& NameAt(std::uint32_t index) const;
  const RawRelation& RelationAt(std::uint32_t index) const;
  const RawProvider& ProviderAt(std::uint32_t index) const;
  std::string_view StringAt(StringOffset offset) const;
  // The text of a name.
  std::string_view NameText(std::uint32_t index) const { return StringAt(NameAt(index).text); }

 private:
  PackageTable() = default;
  bool Attach(std::string_view bytes, const specs::Sha256& inputs);

  std::optional<layers::MappedFile> file_;
  std::string owned_;
  std::string_view sections_;
  specs::Sha256 content_;
  std::span<const RawPackage> packages_;
  std::span<const RawName> names_;
  std::span<const RawRelation> relations_;
  std::span<const RawProvider> providers_;
  std::span<const TableBucket> buckets_;
  std::string_view strings_;
};

}  // namespace imgbuild::builder
