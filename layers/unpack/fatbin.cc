#include "layers/unpack/fatbin.h"

#include <algorithm>
#include <cstdint>

#include <elf.h>
#include <fmt/format.h>

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
constexpr std::size_t kMaxSections = 4096;
constexpr std::uint32_t kMaxArchitecture = 9999;

// Little-endian, as the machines are that have such files. Out of bounds reads as 0.
class Bytes {
 public:
  explicit Bytes(std::string_view bytes) : bytes_(bytes) {}

  std::uint64_t Get(std::uint64_t at, std::size_t width) const {
    if (at > bytes_.size() || bytes_.size() - at < width) return 0;
    std::uint64_t value = 0;
    for (std::size_t i = width; i-- > 0;) {
      value = value << 8 | static_cast<unsigned char>(bytes_[at + i]);
    }
    return value;
  }
  std::string_view Part(std::uint64_t at, std::uint64_t size) const {
    return at > bytes_.size() ? std::string_view() : bytes_.substr(at, size);
  }
  std::uint64_t size() const { return bytes_.size(); }

 private:
  std::string_view bytes_;
};

// The contents of .nv_fatbin; empty where there is none.
std::string_view FindSection(const Bytes& elf) {
  const std::uint64_t table = elf.Get(0x28, 8);
  const std::uint64_t size = elf.Get(0x3a, 2);
  const std::uint64_t count = std::min<std::uint64_t>(elf.Get(0x3c, 2), kMaxSections);
  if (size < sizeof(Elf64_Shdr) || table > elf.size()) return {};
  const std::uint64_t names = elf.Get(table + elf.Get(0x3e, 2) * size + 24, 8);
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t at = table + i * size;
    if (elf.Part(names + elf.Get(at, 4), 11) != std::string_view(".nv_fatbin\0", 11)) continue;
    return elf.Part(elf.Get(at + 24, 8), elf.Get(at + 32, 8));
  }
  return {};
}

void ReadEntries(const Bytes& entries, std::set<std::string>& code) {
  for (std::uint64_t at = 0; at + kEntry <= entries.size();) {
    const std::uint64_t kind = entries.Get(at, 2);
    const std::uint64_t header = entries.Get(at + 4, 4);
    const std::uint64_t payload = entries.Get(at + 8, 8);
    const std::uint64_t architecture = entries.Get(at + kArchitectureAt, 4);
    if (header < kEntry || payload > entries.size()) return;
    if ((kind == kPtx || kind == kMachineCode) && architecture <= kMaxArchitecture) {
      code.insert(fmt::format("{}_{}", kind == kPtx ? "compute" : "sm", architecture));
    }
    at += header + payload;
  }
}

}  // namespace

std::set<std::string> ReadGpuCode(std::string_view bytes) {
  std::set<std::string> code;
  if (bytes.size() < sizeof(Elf64_Ehdr) || !bytes.starts_with(ELFMAG)) return code;
  if (bytes[EI_CLASS] != ELFCLASS64 || bytes[EI_DATA] != ELFDATA2LSB) return code;
  const Bytes section(FindSection(Bytes(bytes)));
  for (std::uint64_t at = 0; at + kHeader <= section.size();) {
    if (section.Get(at, 4) != kMagic) {
      at += kAlignment;
      continue;
    }
    const std::uint64_t header = section.Get(at + 6, 2);
    const std::uint64_t size = section.Get(at + 8, 8);
    if (header < kHeader || size > section.size()) break;
    ReadEntries(Bytes(section.Part(at + header, size)), code);
    at += (header + size + kAlignment - 1) / kAlignment * kAlignment;
  }
  return code;
}

}  // namespace imgbuild::layers
