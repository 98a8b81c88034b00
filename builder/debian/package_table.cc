#include "builder/debian/package_table.h"

#include <cstring>
#include <utility>

#include "specs/base/error.h"
#include "specs/base/key.h"

namespace imgbuild::builder {
namespace {

[[noreturn]] void ThrowDamaged() {
  throw specs::Error("a compiled package index in the cache is damaged")
      .Hint("remove the folder \"index\" of the cache and try again: it is made anew");
}

template <typename Record>
const Record& At(std::span<const Record> records, std::uint32_t index) {
  if (index >= records.size()) ThrowDamaged();
  return records[index];
}

// Takes the next section off the front of `bytes`; the sizes were checked before.
template <typename Record>
std::span<const Record> TakeSection(std::string_view& bytes, std::uint32_t count) {
  std::span<const Record> section(reinterpret_cast<const Record*>(bytes.data()), count);
  bytes.remove_prefix(TablePadded(section.size_bytes()));
  return section;
}

std::uint64_t SectionBytes(const TableHeader& header) {
  return TablePadded(std::uint64_t{header.packages} * sizeof(RawPackage)) +
         TablePadded(std::uint64_t{header.names} * sizeof(RawName)) +
         TablePadded(std::uint64_t{header.relations} * sizeof(RawRelation)) +
         TablePadded(std::uint64_t{header.providers} * sizeof(RawProvider)) +
         TablePadded(std::uint64_t{header.buckets} * sizeof(TableBucket)) +
         TablePadded(header.string_bytes);
}

bool IsPowerOfTwo(std::uint32_t number) { return number != 0 && (number & (number - 1)) == 0; }

}  // namespace

specs::Sha256 PackageTableKey(const specs::Sha256& packages, specs::Architecture architecture) {
  return specs::KeyBuilder("debian-package-table")
      .Add("format", std::uint64_t{kTableFormat})
      .Add("architecture", specs::ArchitectureName(architecture))
      .Add("packages", packages)
      .Finish();
}

std::shared_ptr<const PackageTable> PackageTable::Map(const std::filesystem::path& path,
                                                      const specs::Sha256& inputs) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored)) return nullptr;
  std::shared_ptr<PackageTable> table(new PackageTable());
  table->file_.emplace(path);
  return table->Attach(table->file_->bytes(), inputs) ? table : nullptr;
}

std::shared_ptr<const PackageTable> PackageTable::FromBytes(std::string bytes,
                                                            const specs::Sha256& inputs) {
  std::shared_ptr<PackageTable> table(new PackageTable());
  table->owned_ = std::move(bytes);
  return table->Attach(table->owned_, inputs) ? table : nullptr;
}

bool PackageTable::Attach(std::string_view bytes, const specs::Sha256& inputs) {
  TableHeader header;
  if (bytes.size() < sizeof(header)) return false;
  std::memcpy(&header, bytes.data(), sizeof(header));
  if (header.magic != kTableMagic || header.format != kTableFormat ||
      header.inputs != inputs.bytes()) {
    return false;
  }
  std::array<std::uint8_t, 32> check = std::exchange(header.check, {});
  std::string_view head(reinterpret_cast<const char*>(&header), sizeof(header));
  if (specs::HashOf(head).bytes() != check) return false;
  if (header.string_bytes > bytes.size() || !IsPowerOfTwo(header.buckets)) return false;
  if (SectionBytes(header) != bytes.size() - sizeof(header)) return false;

  content_ = specs::Sha256(header.content);
  bytes.remove_prefix(sizeof(header));
  sections_ = bytes;
  packages_ = TakeSection<RawPackage>(bytes, header.packages);
  names_ = TakeSection<RawName>(bytes, header.names);
  relations_ = TakeSection<RawRelation>(bytes, header.relations);
  providers_ = TakeSection<RawProvider>(bytes, header.providers);
  buckets_ = TakeSection<TableBucket>(bytes, header.buckets);
  strings_ = bytes.substr(0, header.string_bytes);
  return true;
}

bool PackageTable::IsIntact() const { return specs::HashOf(sections_) == content_; }

std::optional<std::uint32_t> PackageTable::FindName(std::string_view name) const {
  const std::size_t mask = buckets_.size() - 1;
  std::size_t slot = HashTableName(name) & mask;
  for (std::size_t probes = 0; probes < buckets_.size(); ++probes) {
    TableBucket bucket = buckets_[slot];
    if (bucket == 0) return std::nullopt;
    if (NameText(bucket - 1) == name) return bucket - 1;
    slot = (slot + 1) & mask;
  }
  return std::nullopt;
}

const RawPackage& PackageTable::PackageAt(std::uint32_t index) const {
  const RawPackage& package = At(packages_, index);
  for (std::size_t kind = 0; kind < kRelationKinds; ++kind) {
    if (package.relations[kind] > package.relations[kind + 1]) ThrowDamaged();
  }
  if (package.relations[kRelationKinds] > relations_.size()) ThrowDamaged();
  return package;
}

const RawName& PackageTable::NameAt(std::uint32_t index) const {
  const RawName& name = At(names_, index);
  if (std::uint64_t{name.first_package} + name.package_count > packages_.size() ||
      std::uint64_t{name.first_provider} + name.provider_count > providers_.size()) {
    ThrowDamaged();
  }
  return name;
}

const RawRelation& PackageTable::RelationAt(std::uint32_t index) const {
  return At(relations_, index);
}
const RawProvider& PackageTable::ProviderAt(std::uint32_t index) const {
  return At(providers_, index);
}

std::string_view PackageTable::StringAt(StringOffset offset) const {
  if (offset == 0) return "";
  if (std::uint64_t{offset} + 2 > strings_.size()) ThrowDamaged();
  std::uint16_t length = 0;
  std::memcpy(&length, strings_.data() + offset, sizeof(length));
  if (std::uint64_t{offset} + 2 + length > strings_.size()) ThrowDamaged();
  return strings_.substr(offset + 2, length);
}

}  // namespace imgbuild::builder
