#include "layers/unpack/sfnt.h"

#include <vector>

namespace imgbuild::layers {
namespace {

constexpr std::uint16_t kUnicode = 0, kMacintosh = 1, kIso = 2, kMicrosoft = 3;  // platforms
constexpr std::uint16_t kMacRoman = 0, kMacEnglish = 0;
constexpr std::uint16_t kFamily = 1, kTypographicFamily = 16, kWwsFamily = 21;
constexpr std::uint16_t kItalicBit = 1u << 0, kWwsBit = 1u << 8, kObliqueBit = 1u << 9;

struct NameRecord {
  std::uint16_t platform, encoding, language, id;
  std::string_view value;
};

std::optional<std::uint16_t> Number16(std::string_view bytes, std::size_t at) {
  if (bytes.size() < 2 || at > bytes.size() - 2) return std::nullopt;
  return static_cast<std::uint16_t>(static_cast<unsigned char>(bytes[at]) << 8 |
                                    static_cast<unsigned char>(bytes[at + 1]));
}

std::optional<std::uint32_t> Number32(std::string_view bytes, std::size_t at) {
  const auto high = Number16(bytes, at), low = Number16(bytes, at + 2);
  if (!high || !low) return std::nullopt;
  return static_cast<std::uint32_t>(*high) << 16 | *low;
}

std::optional<std::string_view> Table(std::string_view bytes, std::string_view tag) {
  const auto count = Number16(bytes, 4);
  if (!count) return std::nullopt;
  for (std::size_t i = 0; i < *count; ++i) {
    const std::size_t entry = 12 + 16 * i;
    if (entry + 16 > bytes.size()) return std::nullopt;
    if (bytes.substr(entry, 4) != tag) continue;
    const std::size_t offset = *Number32(bytes, entry + 8), size = *Number32(bytes, entry + 12);
    if (offset > bytes.size() || size > bytes.size() - offset) return std::nullopt;
    return bytes.substr(offset, size);
  }
  return std::nullopt;
}

std::optional<std::vector<NameRecord>> ReadNames(std::string_view table) {
  const auto count = Number16(table, 2), storage = Number16(table, 4);
  if (!count || !storage || *storage > table.size()) return std::nullopt;
  std::vector<NameRecord> records;
  for (std::size_t i = 0; i < *count; ++i) {
    const std::size_t at = 6 + 12 * i;
    if (at + 12 > table.size()) return std::nullopt;
    const std::size_t size = *Number16(table, at + 8), offset = *Number16(table, at + 10);
    const std::string_view stored = table.substr(*storage);
    if (offset > stored.size() || size > stored.size() - offset) return std::nullopt;
    records.push_back({*Number16(table, at), *Number16(table, at + 2), *Number16(table, at + 4),
                       *Number16(table, at + 6), stored.substr(offset, size)});
  }
  return records;
}

std::string Ascii(std::string_view value, std::size_t width) {
  std::string text;
  for (std::size_t at = 0; at + width <= value.size(); at += width) {
    unsigned code = 0;
    for (char byte : value.substr(at, width)) code = code << 8 | static_cast<unsigned char>(byte);
    if (code == 0) break;
    text += code < 32 || code > 127 ? '?' : static_cast<char>(code);
  }
  return text;
}

// Of several translations FreeType (sfobjs.c, tt_face_get_name) takes Microsoft's English one,
// else the Macintosh's, else a Unicode one.
std::string NameOf(const std::vector<NameRecord>& records, std::uint16_t id) {
  const NameRecord *windows = nullptr, *english = nullptr, *roman = nullptr, *unicode = nullptr;
  bool in_english = false;
  for (const NameRecord& record : records) {
    if (record.id != id || record.value.empty()) continue;
    if (record.platform == kUnicode || record.platform == kIso) {
      unicode = &record;
    } else if (record.platform == kMacintosh) {
      if (record.language == kMacEnglish)
        english = &record;
      else if (record.encoding == kMacRoman)
        roman = &record;
    } else if (record.platform == kMicrosoft) {
      const bool is_english = (record.language & 0x3ff) == 0x009;
      const bool readable = record.encoding <= 1 || record.encoding == 10;
      if (!readable || (windows != nullptr && !is_english)) continue;
      windows = &record;
      in_english = is_english;
    }
  }
  const NameRecord* apple = english != nullptr ? english : roman;
  if (windows != nullptr && (apple == nullptr || in_english)) return Ascii(windows->value, 2);
  if (apple != nullptr) return Ascii(apple->value, 1);
  return unicode != nullptr ? Ascii(unicode->value, 2) : "";
}

std::string FamilyOf(const std::vector<NameRecord>& records, bool wws) {
  std::string family = wws ? "" : NameOf(records, kWwsFamily);
  if (family.empty()) family = NameOf(records, kTypographicFamily);
  if (family.empty()) family = NameOf(records, kFamily);
  return family;
}

}  // namespace

std::optional<SfntFont> ReadSfnt(std::string_view bytes) {
  const auto version = Number32(bytes, 0);
  // TrueType, OpenType with CFF outlines, and Apple's TrueType; a collection has several faces.
  if (!version ||
      (*version != 0x00010000 && bytes.substr(0, 4) != "OTTO" && bytes.substr(0, 4) != "true")) {
    return std::nullopt;
  }
  const auto names = Table(bytes, "name"), os2 = Table(bytes, "OS/2");
  if (!names || !os2) return std::nullopt;
  const auto os2_version = Number16(*os2, 0), weight = Number16(*os2, 4);
  const auto selection = Number16(*os2, 62);
  const auto records = ReadNames(*names);
  if (!os2_version || *os2_version == 0xffff || !weight || !selection || !records) {
    return std::nullopt;
  }
  SfntFont font;
  for (const NameRecord& record : *records) {
    font.names[{record.platform, record.encoding, record.language, record.id}] = record.value;
  }
  font.family = FamilyOf(*records, (*selection & kWwsBit) != 0);
  font.weight = *weight;
  font.italic = (*selection & (kItalicBit | kObliqueBit)) != 0;
  return font;
}

}  // namespace imgbuild::layers
