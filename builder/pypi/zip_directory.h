// APPNOTE.TXT 4.3 (zip, zip64): the central directory at a zip's end, read from a part of the file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace imgbuild::builder {

// Where the central directory lies in the whole file.
struct ZipDirectoryPlace {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;  // bytes
  std::uint64_t entries = 0;
};

struct ZipEntry {
  std::string name;
  std::uint16_t method = 0;  // 0 stored, 8 deflated
  std::uint32_t crc32 = 0;
  std::uint64_t compressed_size = 0;
  std::uint64_t size = 0;
  std::uint64_t local_offset = 0;  // of the local header in the whole file

  bool operator==(const ZipEntry&) const = default;
};

// What is wrong with the bytes, as a clause: "its central directory is cut short".
struct ZipDamage {
  std::string what;
};

// Finds the end record in `tail`, the last bytes of a file of `file_size` bytes. ZipDamage where
// there is none, or it points outside the file. At most 64 MiB of directory is believed.
std::variant<ZipDirectoryPlace, ZipDamage> LocateZipDirectory(std::string_view tail,
                                                              std::uint64_t file_size);

// The entry whose name `wanted` accepts in the directory's bytes; nullopt if none. The first one
// counts; a second accepted entry is damage.
using ZipNameTest = bool (*)(std::string_view name, std::string_view context);
std::variant<std::optional<ZipEntry>, ZipDamage> FindZipEntry(std::string_view directory,
                                                              ZipNameTest wanted,
                                                              std::string_view context);

// How many bytes from the local header on surely hold the entry's data, whatever the local
// header's own variable part.
std::uint64_t ZipEntryReach(const ZipEntry& entry);

// The entry's content from `bytes`, which begin at its local header and reach at least over its
// data. CRC-checked; at most `limit` bytes come out.
std::variant<std::string, ZipDamage> ReadZipEntry(const ZipEntry& entry, std::string_view bytes,
                                                  std::uint64_t limit);

}  // namespace imgbuild::builder
