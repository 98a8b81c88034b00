#include "layers/unpack/fatbin.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include <elf.h>
#include <fmt/format.h>

#include "layers/unpack/elf.h"

namespace imgbuild::layers {
namespace {

// A fat binary: magic, version (2 bytes), header size (2), size of what follows (8). Then entries:
// kind (2), version (2), header size (4), payload size (8), 12 bytes, architecture (4), ...
constexpr std::uint32_t kMagic = 0xba55ed50;
constexpr std::uint64_t kHeader = 16;
constexpr std::uint64_t kEntry = 32;
constexpr std::uint64_t kArchitectureAt = 28;
constexpr std::uint64_t kAlignment = 8;
constexpr std::uint16_t kPtx = 1;
constexpr std::uint16_t kMachineCode = 2;
// What is smaller has no kernels: libraries that link theirs when they run (cuFFT of CUDA 13) have
// one to three empty binaries of 660 bytes, for one GPU.
constexpr std::uint64_t kSmallest = 2048;
constexpr std::size_t kMaxSections = 4096;
constexpr std::uint32_t kMaxArchitecture = 9999;
// The largest libraries have some thousand binaries of a dozen entries.
constexpr std::size_t kMaxBinaries = 1 << 16;
constexpr std::size_t kMaxFatbinEntries = 1 << 20;
constexpr std::size_t kMaxWanted = 64;  // at once

// Little-endian, as the machines are that have such files. Missing bytes read as 0.
std::uint64_t Number(std::string_view bytes, std::size_t at, std::size_t width) {
  if (bytes.size() < at + width) return 0;
  std::uint64_t value = 0;
  for (std::size_t i = width; i-- > 0;) {
    value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  }
  return value;
}

std::uint64_t NumberIn(FileParts& file, std::uint64_t at, std::size_t width) {
  return Number(file.Get(at, width), 0, width);
}

// Where .nv_fatbin is; nullopt where there is none, or none that a linker would have put there.
std::optional<ByteRange> FindSection(FileParts& elf) {
  const std::string_view ident = elf.Get(0, sizeof(Elf64_Ehdr));
  if (ident.size() < sizeof(Elf64_Ehdr) || !LooksLikeElf(ident)) return std::nullopt;
  if (ident[EI_CLASS] != ELFCLASS64 || ident[EI_DATA] != ELFDATA2LSB) return std::nullopt;
  const std::uint64_t table = Number(ident, 0x28, 8);
  const std::uint64_t size = Number(ident, 0x3a, 2);
  const std::uint64_t count = std::min<std::uint64_t>(Number(ident, 0x3c, 2), kMaxSections);
  if (size < sizeof(Elf64_Shdr) || table > elf.size()) return std::nullopt;
  const std::uint64_t names = NumberIn(elf, table + Number(ident, 0x3e, 2) * size + 24, 8);
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::string_view section = elf.Get(table + i * size, sizeof(Elf64_Shdr));
    const std::string_view name = elf.Get(names + Number(section, 0, 4), 11);
    if (name != std::string_view(".nv_fatbin\0", 11)) continue;
    const ByteRange found{Number(section, 24, 8), Number(section, 32, 8)};
    if (found.offset > elf.size() || found.offset % kAlignment != 0) return std::nullopt;
    if (found.size < kSmallest) return std::nullopt;
    return ByteRange{found.offset, std::min(found.size, elf.size() - found.offset)};
  }
  return std::nullopt;
}

}  // namespace

std::set<std::string> ReadGpuCode(std::string_view bytes) {
  FileParts file(bytes);
  const std::optional<ByteRange> section = FindSection(file);
  if (!section) return {};
  FatbinScanner scanner;
  scanner.Scan(bytes.substr(section->offset, section->size));
  return scanner.CodeIn(0, section->size);
}

std::set<std::string> FatbinScanner::Find(FileParts& file) const {
  const std::optional<ByteRange> section = FindSection(file);
  if (!section) return {};
  return CodeIn(section->offset, section->size);
}

void FatbinScanner::Scan(std::string_view bytes) {
  if (!rest_.empty()) {
    const std::string_view front = bytes.substr(0, kAlignment - rest_.size());
    rest_ += front;
    bytes.remove_prefix(front.size());
    if (rest_.size() < kAlignment) return;
    const std::string word = std::exchange(rest_, {});
    ScanAligned(word);
  }
  const std::size_t aligned = bytes.size() / kAlignment * kAlignment;
  ScanAligned(bytes.substr(0, aligned));
  rest_ = bytes.substr(aligned);
}

void FatbinScanner::ScanAligned(std::string_view bytes) {
  std::erase_if(wanted_, [&](Wanted& wanted) { return !Follow(wanted, bytes); });
  FindMagic(bytes);
  position_ += bytes.size();
}

void FatbinScanner::FindMagic(std::string_view bytes) {
  for (std::size_t at = 0; at < bytes.size(); at += kAlignment) {
    std::uint32_t word = 0;
    std::memcpy(&word, bytes.data() + at, sizeof(word));
    if (word != kMagic) continue;
    if (wanted_.size() >= kMaxWanted || binaries_.size() >= kMaxBinaries) return;
    Wanted wanted{binaries_.size(), position_ + at, {}};
    binaries_.emplace_back().begin = position_ + at;
    if (Follow(wanted, bytes)) wanted_.push_back(std::move(wanted));
  }
}

// Reads the headers that lie in the bytes. Whether there may be more behind them.
bool FatbinScanner::Follow(Wanted& wanted, std::string_view bytes) {
  for (;;) {
    const bool first = binaries_[wanted.binary].header == 0;
    const std::size_t need = first ? kHeader : kEntry;
    const std::uint64_t from = wanted.offset + wanted.bytes.size();
    if (from >= position_ + bytes.size()) return true;
    wanted.bytes += bytes.substr(from - position_, need - wanted.bytes.size());
    if (wanted.bytes.size() < need) return true;
    if (!(first ? ReadHeader(wanted) : ReadEntry(wanted))) return false;
    wanted.bytes.clear();
  }
}

bool FatbinScanner::ReadHeader(Wanted& wanted) {
  Binary& binary = binaries_[wanted.binary];
  const std::uint64_t header = Number(wanted.bytes, 6, 2);
  const std::uint64_t size = Number(wanted.bytes, 8, 8);
  if (header < kHeader || size > UINT64_MAX / 4) return false;
  binary.header = header;
  binary.size = size;
  wanted.offset = binary.begin + header;
  return size >= kEntry;
}

bool FatbinScanner::ReadEntry(Wanted& wanted) {
  Binary& binary = binaries_[wanted.binary];
  const std::uint64_t kind = Number(wanted.bytes, 0, 2);
  const std::uint64_t header = Number(wanted.bytes, 4, 4);
  const std::uint64_t payload = Number(wanted.bytes, 8, 8);
  const std::uint64_t architecture = Number(wanted.bytes, kArchitectureAt, 4);
  if (header < kEntry || payload > binary.size || ++entries_ > kMaxFatbinEntries) return false;
  if ((kind == kPtx || kind == kMachineCode) && architecture <= kMaxArchitecture) {
    std::string code = fmt::format("{}_{}", kind == kPtx ? "compute" : "sm", architecture);
    binary.entries.push_back({wanted.offset + kEntry, std::move(code)});
  }
  wanted.offset += header + payload;
  return wanted.offset + kEntry <= binary.begin + binary.header + binary.size;
}

std::set<std::string> FatbinScanner::CodeIn(std::uint64_t begin, std::uint64_t size) const {
  std::set<std::string> code;
  const std::uint64_t end = begin + size;
  auto binary = std::ranges::lower_bound(binaries_, begin, {}, &Binary::begin);
  while (binary != binaries_.end() && binary->begin + kHeader <= end) {
    if (binary->header == 0 || binary->size > size) break;
    for (const Entry& entry : binary->entries) {
      if (entry.end <= end) code.insert(entry.code);
    }
    std::uint64_t next = binary->begin + binary->header + binary->size;
    next += (kAlignment - next % kAlignment) % kAlignment;
    binary = std::ranges::lower_bound(binary, binaries_.end(), next, {}, &Binary::begin);
  }
  return code;
}

}  // namespace imgbuild::layers
