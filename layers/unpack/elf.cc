#include "layers/unpack/elf.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include <elf.h>

#include "specs/base/text.h"

namespace imgbuild::layers {
namespace {

constexpr std::size_t kMaxSegments = 256;
constexpr std::size_t kMaxDynamic = 4096;
constexpr std::size_t kMaxString = 4096;

// Numbers in a file of either width and byte order. What lies outside reads as 0 and is remembered.
class ElfBytes {
 public:
  ElfBytes(FileParts& file, bool wide, bool big) : file_(file), wide_(wide), big_(big) {}

  bool wide() const { return wide_; }
  bool damaged() const { return damaged_; }
  FileParts& file() { return file_; }

  std::uint64_t Number(std::uint64_t offset, std::size_t width) {
    const std::string_view bytes = file_.Get(offset, width);
    if (bytes.size() < width) {
      damaged_ = true;
      return 0;
    }
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < width; ++i) {
      std::size_t at = big_ ? i : width - 1 - i;
      value = value << 8 | static_cast<unsigned char>(bytes[at]);
    }
    return value;
  }
  std::uint64_t Half(std::uint64_t offset) { return Number(offset, 2); }
  std::uint64_t Word(std::uint64_t offset) { return Number(offset, 4); }
  // An address, offset or size: as wide as the class.
  std::uint64_t Address(std::uint64_t offset) { return Number(offset, wide_ ? 8 : 4); }

 private:
  FileParts& file_;
  bool wide_;
  bool big_;
  bool damaged_ = false;
};

// nullopt for what is no executable or shared ELF file of a known class and byte order.
std::optional<ElfBytes> OpenElf(FileParts& file) {
  const std::string_view ident = file.Get(0, EI_NIDENT);
  if (!LooksLikeElf(ident) || file.size() < sizeof(Elf32_Ehdr)) return std::nullopt;
  if (ident[EI_CLASS] != ELFCLASS32 && ident[EI_CLASS] != ELFCLASS64) return std::nullopt;
  if (ident[EI_DATA] != ELFDATA2LSB && ident[EI_DATA] != ELFDATA2MSB) return std::nullopt;
  ElfBytes elf(file, ident[EI_CLASS] == ELFCLASS64, ident[EI_DATA] == ELFDATA2MSB);
  const std::uint64_t type = elf.Half(16);
  if (type != ET_EXEC && type != ET_DYN) return std::nullopt;
  return elf;
}

struct Segment {
  std::uint64_t type = 0;
  std::uint64_t offset = 0;
  std::uint64_t address = 0;
  std::uint64_t size = 0;  // in the file
};

std::vector<Segment> ReadSegments(ElfBytes& elf) {
  bool wide = elf.wide();
  std::uint64_t table = elf.Address(wide ? 32 : 28);
  std::uint64_t entry_size = elf.Half(wide ? 54 : 42);
  std::uint64_t count = std::min<std::uint64_t>(elf.Half(wide ? 56 : 44), kMaxSegments);
  std::vector<Segment> segments;
  for (std::uint64_t i = 0; i < count && !elf.damaged(); ++i) {
    std::uint64_t at = table + i * entry_size;
    if (at < table) return {};
    Segment segment;
    segment.type = elf.Word(at);
    segment.offset = elf.Address(at + (wide ? 8 : 4));
    segment.address = elf.Address(at + (wide ? 16 : 8));
    segment.size = elf.Address(at + (wide ? 32 : 16));
    segments.push_back(segment);
  }
  return segments;
}

// Where the linker finds an address in the file.
std::optional<std::uint64_t> FileOffset(const std::vector<Segment>& segments,
                                        std::uint64_t address) {
  for (const Segment& segment : segments) {
    if (segment.type != PT_LOAD || address < segment.address) continue;
    std::uint64_t within = address - segment.address;
    if (within < segment.size && segment.offset + within >= within) {
      return segment.offset + within;
    }
  }
  return std::nullopt;
}

struct Dynamic {
  std::uint64_t strings = 0;  // address of the string table
  std::uint64_t strings_size = UINT64_MAX;
  std::vector<std::uint64_t> needed;  // offsets in it, as all below
  std::optional<std::uint64_t> soname;
  std::optional<std::uint64_t> rpath;
  std::optional<std::uint64_t> runpath;
};

Dynamic ReadDynamic(ElfBytes& elf, const Segment& segment) {
  std::size_t width = elf.wide() ? 8 : 4;
  std::uint64_t count = std::min<std::uint64_t>(segment.size / (2 * width), kMaxDynamic);
  Dynamic dynamic;
  for (std::uint64_t i = 0; i < count && !elf.damaged(); ++i) {
    std::uint64_t at = segment.offset + i * 2 * width;
    std::uint64_t value = elf.Address(at + width);
    switch (elf.Address(at)) {
      case DT_NULL:
        return dynamic;
      case DT_NEEDED:
        dynamic.needed.push_back(value);
        break;
      case DT_STRTAB:
        dynamic.strings = value;
        break;
      case DT_STRSZ:
        dynamic.strings_size = value;
        break;
      case DT_SONAME:
        dynamic.soname = value;
        break;
      case DT_RPATH:
        dynamic.rpath = value;
        break;
      case DT_RUNPATH:
        dynamic.runpath = value;
        break;
      default:
        break;
    }
  }
  return dynamic;
}

const Segment* FindDynamic(const std::vector<Segment>& segments) {
  for (const Segment& segment : segments) {
    if (segment.type == PT_DYNAMIC) return &segment;
  }
  return nullptr;
}

// nullopt unless a whole, NUL-terminated string stands there in the table.
std::optional<std::string> StringAt(FileParts& file, ByteRange table, std::uint64_t offset) {
  if (offset >= table.size) return std::nullopt;
  const std::string_view rest =
      file.Get(table.offset + offset, std::min<std::uint64_t>(kMaxString, table.size - offset));
  const std::size_t end = rest.find('\0');
  if (end == std::string_view::npos) return std::nullopt;
  return std::string(rest.substr(0, end));
}

// False where a string lies outside the table.
bool ReadStrings(FileParts& file, ByteRange table, const Dynamic& dynamic, ElfFacts& facts) {
  for (std::uint64_t offset : dynamic.needed) {
    std::optional<std::string> name = StringAt(file, table, offset);
    if (!name) return false;
    if (!name->empty()) facts.needed.push_back(std::move(*name));
  }
  if (dynamic.soname) {
    std::optional<std::string> name = StringAt(file, table, *dynamic.soname);
    if (!name) return false;
    facts.soname = std::move(*name);
  }
  if (std::optional<std::uint64_t> offset = dynamic.runpath ? dynamic.runpath : dynamic.rpath) {
    std::optional<std::string> paths = StringAt(file, table, *offset);
    if (!paths) return false;
    for (std::string_view path : specs::Split(*paths, ':')) {
      if (!path.empty()) facts.runpath.emplace_back(path);
    }
  }
  return true;
}

}  // namespace

bool LooksLikeElf(std::string_view bytes) {
  return bytes.starts_with(
      "\x7f"
      "ELF");
}

std::optional<ElfFacts> ReadElf(std::string_view bytes) {
  FileParts file(bytes);
  return ReadElf(file);
}

std::optional<ElfFacts> ReadElf(FileParts& file) {
  std::optional<ElfBytes> elf = OpenElf(file);
  if (!elf) return std::nullopt;
  ElfFacts facts;
  facts.machine = static_cast<std::uint16_t>(elf->Half(18));
  const std::vector<Segment> segments = ReadSegments(*elf);
  const bool interpreted =
      std::ranges::find(segments, std::uint64_t{PT_INTERP}, &Segment::type) != segments.end();
  facts.shared_object = elf->Half(16) == ET_DYN && !interpreted;
  const Segment* segment = FindDynamic(segments);
  if (segment == nullptr) return elf->damaged() ? std::nullopt : std::optional(facts);
  const Dynamic dynamic = ReadDynamic(*elf, *segment);
  if (elf->damaged()) return std::nullopt;
  if (dynamic.needed.empty() && !dynamic.soname && !dynamic.rpath && !dynamic.runpath) return facts;
  const std::optional<std::uint64_t> strings = FileOffset(segments, dynamic.strings);
  if (!strings || *strings > file.size()) return std::nullopt;
  const ByteRange table{*strings, std::min(dynamic.strings_size, file.size() - *strings)};
  if (!ReadStrings(file, table, dynamic, facts)) return std::nullopt;
  return facts;
}

std::optional<ByteRange> FindDynamicSegment(FileParts& file) {
  std::optional<ElfBytes> elf = OpenElf(file);
  if (!elf) return std::nullopt;
  const std::vector<Segment> segments = ReadSegments(*elf);
  const Segment* segment = FindDynamic(segments);
  if (segment == nullptr) return std::nullopt;
  return ByteRange{segment->offset,
                   std::min<std::uint64_t>(segment->size, kMaxDynamic * sizeof(Elf64_Dyn))};
}

}  // namespace imgbuild::layers
