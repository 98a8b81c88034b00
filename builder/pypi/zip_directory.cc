#include "builder/pypi/zip_directory.h"

#include <algorithm>
#include <array>

#include "layers/io/archive.h"
#include "layers/io/stream.h"
#include "specs/base/error.h"

namespace imgbuild::builder {
namespace {

constexpr std::uint32_t kEndSignature = 0x06054b50;
constexpr std::uint32_t kEnd64LocatorSignature = 0x07064b50;
constexpr std::uint32_t kEnd64Signature = 0x06064b50;
constexpr std::uint32_t kCentralSignature = 0x02014b50;
constexpr std::uint32_t kLocalSignature = 0x04034b50;
constexpr std::size_t kEndSize = 22;
constexpr std::size_t kEnd64LocatorSize = 20;
constexpr std::size_t kEnd64Size = 56;
constexpr std::size_t kCentralSize = 46;
constexpr std::size_t kLocalSize = 30;
constexpr std::uint64_t kMaxDirectory = 64ull << 20;

// Little-endian fields of a record; REQUIRES: they lie within `bytes`.
template <typename T>
T Field(std::string_view bytes, std::size_t at) {
  T value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    value |= static_cast<T>(static_cast<T>(static_cast<unsigned char>(bytes[at + i])) << (8 * i));
  }
  return value;
}

std::optional<std::size_t> FindEndRecord(std::string_view tail) {
  for (std::size_t back = kEndSize; back <= tail.size(); ++back) {
    std::size_t at = tail.size() - back;
    if (back > kEndSize + 0xffff) break;
    if (Field<std::uint32_t>(tail, at) != kEndSignature) continue;
    if (at + kEndSize + Field<std::uint16_t>(tail, at + 20) == tail.size()) return at;
  }
  return std::nullopt;
}

// The zip64 end record, where the plain one has its fields saturated and a locator stands before.
void ApplyZip64(std::string_view tail, std::size_t end, std::uint64_t tail_offset,
                ZipDirectoryPlace& place) {
  if (end < kEnd64LocatorSize) return;
  std::size_t locator = end - kEnd64LocatorSize;
  if (Field<std::uint32_t>(tail, locator) != kEnd64LocatorSignature) return;
  std::uint64_t record = Field<std::uint64_t>(tail, locator + 8);
  if (record < tail_offset || record - tail_offset > tail.size()) return;
  std::string_view bytes = tail.substr(record - tail_offset);
  if (bytes.size() < kEnd64Size || Field<std::uint32_t>(bytes, 0) != kEnd64Signature) return;
  place.entries = Field<std::uint64_t>(bytes, 32);
  place.size = Field<std::uint64_t>(bytes, 40);
  place.offset = Field<std::uint64_t>(bytes, 48);
}

// The zip64 extra field holds the 64-bit values of just those fields that are saturated, in order.
bool ApplyZip64Extra(std::string_view extra, ZipEntry& entry) {
  while (extra.size() >= 4) {
    std::size_t size = Field<std::uint16_t>(extra, 2);
    if (size > extra.size() - 4) return false;
    if (Field<std::uint16_t>(extra, 0) == 1) {
      std::string_view values = extra.substr(4, size);
      for (std::uint64_t* field : {&entry.size, &entry.compressed_size, &entry.local_offset}) {
        if (*field != 0xffffffff) continue;
        if (values.size() < 8) return false;
        *field = Field<std::uint64_t>(values, 0);
        values.remove_prefix(8);
      }
      return true;
    }
    extra.remove_prefix(4 + size);
  }
  return true;
}

std::string LittleEndian32(std::uint32_t value) {
  std::string bytes;
  for (int shift = 0; shift < 32; shift += 8) bytes += static_cast<char>(value >> shift & 0xff);
  return bytes;
}

// Raw deflate as one gzip member (RFC 1952), which the one reader of compressed streams takes.
std::string AsGzip(const ZipEntry& entry, std::string_view deflated) {
  std::string member("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff", 10);
  member += deflated;
  member += LittleEndian32(entry.crc32);
  member += LittleEndian32(static_cast<std::uint32_t>(entry.size));
  return member;
}

constexpr std::array<std::uint32_t, 256> MakeCrcTable() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < table.size(); ++i) {
    std::uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0u);
    table[i] = crc;
  }
  return table;
}

std::uint32_t Crc32(std::string_view bytes) {
  static constexpr std::array<std::uint32_t, 256> kTable = MakeCrcTable();
  std::uint32_t crc = 0xffffffff;
  for (char c : bytes) crc = crc >> 8 ^ kTable[(crc ^ static_cast<unsigned char>(c)) & 0xff];
  return ~crc;
}

std::variant<std::string, ZipDamage> Inflate(const ZipEntry& entry, std::string_view deflated) {
  std::string gzip = AsGzip(entry, deflated);
  layers::MemorySource source(gzip);
  std::string content;
  try {
    std::unique_ptr<layers::Source> plain = layers::Decompressed(source);
    std::byte buffer[16384];
    while (std::size_t size = plain->Read(buffer)) {
      if (content.size() + size > entry.size)
        return ZipDamage{entry.name + " is longer than it says"};
      content.append(reinterpret_cast<const char*>(buffer), size);
    }
  } catch (const specs::Error&) {
    return ZipDamage{entry.name + " cannot be decompressed"};
  }
  return content;
}

}  // namespace

std::variant<ZipDirectoryPlace, ZipDamage> LocateZipDirectory(std::string_view tail,
                                                              std::uint64_t file_size) {
  std::optional<std::size_t> end = FindEndRecord(tail);
  if (!end || tail.size() > file_size) return ZipDamage{"it has no end of a zip"};
  ZipDirectoryPlace place;
  place.entries = Field<std::uint16_t>(tail, *end + 10);
  place.size = Field<std::uint32_t>(tail, *end + 12);
  place.offset = Field<std::uint32_t>(tail, *end + 16);
  if (place.entries == 0xffff || place.size == 0xffffffff || place.offset == 0xffffffff) {
    ApplyZip64(tail, *end, file_size - tail.size(), place);
  }
  if (place.size > kMaxDirectory) return ZipDamage{"its central directory is too large"};
  if (place.offset > file_size || place.size > file_size - place.offset) {
    return ZipDamage{"its central directory lies outside the file"};
  }
  return place;
}

std::variant<std::optional<ZipEntry>, ZipDamage> FindZipEntry(std::string_view directory,
                                                              ZipNameTest wanted,
                                                              std::string_view context) {
  std::optional<ZipEntry> found;
  while (!directory.empty()) {
    if (directory.size() < kCentralSize ||
        Field<std::uint32_t>(directory, 0) != kCentralSignature) {
      return ZipDamage{"its central directory is cut short"};
    }
    std::size_t name = Field<std::uint16_t>(directory, 28);
    std::size_t extra = Field<std::uint16_t>(directory, 30);
    std::size_t comment = Field<std::uint16_t>(directory, 32);
    if (directory.size() - kCentralSize < name + extra + comment) {
      return ZipDamage{"its central directory is cut short"};
    }
    std::string_view entry_name = directory.substr(kCentralSize, name);
    if (wanted(entry_name, context)) {
      if (found) return ZipDamage{"it has more than one " + std::string(entry_name)};
      ZipEntry entry;
      entry.name = entry_name;
      entry.method = Field<std::uint16_t>(directory, 10);
      entry.crc32 = Field<std::uint32_t>(directory, 16);
      entry.compressed_size = Field<std::uint32_t>(directory, 20);
      entry.size = Field<std::uint32_t>(directory, 24);
      entry.local_offset = Field<std::uint32_t>(directory, 42);
      if (!ApplyZip64Extra(directory.substr(kCentralSize + name, extra), entry)) {
        return ZipDamage{"its central directory has a damaged entry"};
      }
      found = std::move(entry);
    }
    directory.remove_prefix(kCentralSize + name + extra + comment);
  }
  return found;
}

std::uint64_t ZipEntryReach(const ZipEntry& entry) {
  // The local header repeats the name and has an extra field of its own; writers pad that little.
  return kLocalSize + entry.name.size() + 4096 + entry.compressed_size;
}

std::variant<std::string, ZipDamage> ReadZipEntry(const ZipEntry& entry, std::string_view bytes,
                                                  std::uint64_t limit) {
  if (entry.size > limit) return ZipDamage{entry.name + " is too large"};
  if (bytes.size() < kLocalSize || Field<std::uint32_t>(bytes, 0) != kLocalSignature) {
    return ZipDamage{entry.name + " has no local header"};
  }
  std::size_t skip = kLocalSize + Field<std::uint16_t>(bytes, 26) + Field<std::uint16_t>(bytes, 28);
  if (bytes.size() < skip || bytes.size() - skip < entry.compressed_size) {
    return ZipDamage{entry.name + " is cut short"};
  }
  std::string_view data = bytes.substr(skip, entry.compressed_size);
  if (entry.method != 0 && entry.method != 8) {
    return ZipDamage{entry.name + " is compressed in an unknown way"};
  }
  std::variant<std::string, ZipDamage> content = std::string(data);
  if (entry.method == 8) content = Inflate(entry, data);
  auto* text = std::get_if<std::string>(&content);
  if (text != nullptr && (text->size() != entry.size || Crc32(*text) != entry.crc32)) {
    return ZipDamage{entry.name + " has a wrong size or checksum"};
  }
  return content;
}

}  // namespace imgbuild::builder
