// The bytes of a compiled Packages file: a header, then sections of fixed records, then strings.
// A private format of the cache, in the machine's byte order; kTableFormat changes with any of it.
#pragma once

#include <array>
#include <cstdint>
#include <type_traits>

#include "builder/debian/package_index.h"

namespace imgbuild::builder {

inline constexpr std::uint64_t kTableMagic = 0x3162656467736d69;  // also tells the byte order
inline constexpr std::uint32_t kTableFormat = 1;

// Sections follow the header in the order of the counts, each aligned to 8 bytes.
struct TableHeader {
  std::uint64_t magic = kTableMagic;
  std::uint32_t format = kTableFormat;
  std::uint32_t packages = 0;
  std::uint32_t names = 0;
  std::uint32_t relations = 0;
  std::uint32_t providers = 0;
  std::uint32_t buckets = 0;  // a power of two
  std::uint64_t string_bytes = 0;
  std::array<std::uint8_t, 32> inputs{};   // what it was made from
  std::array<std::uint8_t, 32> content{};  // SHA-256 of everything after the header
  std::array<std::uint8_t, 32> check{};    // SHA-256 of the header with these bytes zero
};

// Offsets into the strings: a 16-bit length, then the bytes. Offset 0 is the empty string.
using StringOffset = std::uint32_t;

enum class TableArchitecture : std::uint8_t { kAll, kAmd64, kArm64 };

// Sorted by name, highest version first.
struct RawPackage {
  std::uint64_t size = 0;
  std::uint64_t installed_size = 0;
  std::array<std::uint8_t, 32> sha256{};
  std::uint32_t name = 0;  // index into the names
  StringOffset version = 0;
  StringOffset filename = 0;
  StringOffset section = 0;
  StringOffset source_package = 0;
  // Relations of kind k are [relations[k], relations[k + 1]).
  std::array<std::uint32_t, kRelationKinds + 1> relations{};
  std::uint8_t priority = 0;
  std::uint8_t multi_arch = 0;
  std::uint8_t essential = 0;
  TableArchitecture architecture = TableArchitecture::kAll;
  std::uint32_t reserved = 0;
};

// Sorted by text. Every name that occurs: of packages, relations and provides.
struct RawName {
  StringOffset text = 0;
  std::uint32_t first_package = 0;
  std::uint32_t package_count = 0;
  std::uint32_t first_provider = 0;
  std::uint32_t provider_count = 0;
};

struct RawRelation {
  std::uint32_t name = 0;  // index into the names
  StringOffset qualifier = 0;
  StringOffset version = 0;
  std::uint8_t op = 0;
  std::uint8_t ends_group = 0;
  std::uint16_t reserved = 0;
};

// Sorted by the provided name, then by package.
struct RawProvider {
  std::uint32_t package = 0;
  StringOffset version = 0;
};

// Open addressing with linear probing; 0 is free, else 1 + the index of the name.
using TableBucket = std::uint32_t;

static_assert(std::is_trivially_copyable_v<TableHeader> && sizeof(TableHeader) % 8 == 0);
static_assert(std::has_unique_object_representations_v<TableHeader>);
static_assert(std::has_unique_object_representations_v<RawPackage>);
static_assert(std::has_unique_object_representations_v<RawName>);
static_assert(std::has_unique_object_representations_v<RawRelation>);
static_assert(std::has_unique_object_representations_v<RawProvider>);

// FNV-1a of 64 bits: the place of a name in the buckets.
constexpr std::uint64_t HashTableName(std::string_view name) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash;
}

constexpr std::uint64_t TablePadded(std::uint64_t bytes) { return (bytes + 7) & ~std::uint64_t{7}; }

}  // namespace imgbuild::builder
