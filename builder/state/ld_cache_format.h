// etc/ld.so.cache as ldconfig(8) of glibc 2.33 and later writes it (glibc, sysdeps/generic/
// dl-cache.h: format "glibc-ld.so.cache1.1" with extensions), byte for byte.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace imgbuild::builder {

struct LdCacheEntry {
  std::string soname;
  std::string path;         // absolute
  std::uint32_t flags = 0;  // kind of ELF file and machine, as dl-cache.h numbers them
  std::string hwcaps;       // name of the glibc-hwcaps folder: "x86-64-v3"; else empty

  bool operator==(const LdCacheEntry&) const = default;
};

struct LdCache {
  // In the order in which ldconfig finds them; of equal ones the first is preferred.
  std::vector<LdCacheEntry> entries;
  // All glibc-hwcaps folders seen, used or not.
  std::vector<std::string> hwcaps;
  std::string generator;  // "ldconfig (Debian GLIBC 2.36-9) stable release version 2.36"
};

// The whole file. Little-endian, as both machines are.
std::string RenderLdCache(const LdCache& cache);

// The order of library names in which numbers count as such: libfoo.so.10 is after libfoo.so.9.
int CompareLibraries(std::string_view a, std::string_view b);

}  // namespace imgbuild::builder
