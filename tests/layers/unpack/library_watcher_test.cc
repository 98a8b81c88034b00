#include "layers/unpack/library_watcher.h"

#include <algorithm>
#include <cstring>
#include <random>

#include <elf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace imgbuild::layers {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using namespace std::string_literals;

constexpr std::uint64_t kMiB = 1 << 20;

template <typename Record>
void Place(std::string& file, std::uint64_t at, const Record& record) {
  std::memcpy(file.data() + at, &record, sizeof(record));
}

void PlaceText(std::string& file, std::uint64_t at, std::string_view text) {
  std::copy(text.begin(), text.end(), file.begin() + static_cast<std::ptrdiff_t>(at));
}

// One fat binary of one piece of machine code.
std::string FatBinary(std::uint32_t architecture, std::uint64_t payload) {
  std::string binary(16 + 32 + payload, '\x11');
  Place(binary, 0, std::uint32_t{0xba55ed50});
  Place(binary, 4, std::uint16_t{1});
  Place(binary, 6, std::uint16_t{16});
  Place(binary, 8, std::uint64_t{32 + payload});
  Place(binary, 16, std::uint16_t{2});
  Place(binary, 20, std::uint32_t{32});
  Place(binary, 24, payload);
  Place(binary, 44, architecture);
  return binary;
}

// Where things lie in a library of `size` bytes.
struct Layout {
  std::uint64_t size = 9 * kMiB;
  std::uint64_t strings = 2 * kMiB;
  std::uint64_t code = 4 * kMiB + 8;
  std::uint64_t dynamic = 6 * kMiB;
  std::uint64_t sections = 9 * kMiB - 4096;
};

std::string MakeLibrary(const Layout& layout) {
  std::string file(layout.size, '\x22');
  const std::string strings = "\0libbig.so.1\0libc.so.6\0"s;
  const std::string names = "\0.nv_fatbin\0"s;
  const std::string code =
      FatBinary(75, kMiB - 64) + FatBinary(90, 64) + std::string(64, '\0') + FatBinary(120, 8);
  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_type = ET_DYN;
  header.e_machine = EM_X86_64;
  header.e_phoff = sizeof(header);
  header.e_phentsize = sizeof(Elf64_Phdr);
  header.e_phnum = 2;
  header.e_shoff = layout.sections;
  header.e_shentsize = sizeof(Elf64_Shdr);
  header.e_shnum = 2;
  header.e_shstrndx = 1;
  Place(file, 0, header);
  Place(file, header.e_phoff, Elf64_Phdr{PT_LOAD, 5, 0, 0, 0, layout.size, layout.size, 1});
  const Elf64_Dyn dynamic[] = {{DT_SONAME, {1}},
                               {DT_NEEDED, {13}},
                               {DT_STRTAB, {layout.strings}},
                               {DT_STRSZ, {strings.size()}},
                               {DT_NULL, {0}}};
  Place(file, header.e_phoff + sizeof(Elf64_Phdr),
        Elf64_Phdr{PT_DYNAMIC, 6, layout.dynamic, 0, 0, sizeof(dynamic), 0, 8});
  PlaceText(file, layout.strings, strings);
  PlaceText(file, layout.code, code);
  Place(file, layout.dynamic, dynamic);
  const std::uint64_t names_at = layout.sections + 2 * sizeof(Elf64_Shdr);
  Place(file, layout.sections,
        Elf64_Shdr{1, SHT_PROGBITS, 0, 0, layout.code, code.size(), 0, 0, 8, 0});
  Place(file, layout.sections + sizeof(Elf64_Shdr),
        Elf64_Shdr{0, SHT_STRTAB, 0, 0, names_at, names.size(), 0, 0, 1, 0});
  PlaceText(file, names_at, names);
  return file;
}

std::optional<LibraryFacts> Watch(std::string_view file, std::size_t piece) {
  LibraryWatcher watcher(file.size());
  for (std::size_t at = 0; at < file.size(); at += piece) watcher.Watch(file.substr(at, piece));
  return watcher.Finish();
}

TEST(LibraryWatcher, FindsInPassingWhatTheWholeFileSays) {
  const std::string file = MakeLibrary({});
  const LibraryFacts whole = ReadLibrary(file);
  ASSERT_TRUE(whole.elf);
  EXPECT_EQ(whole.elf->soname, "libbig.so.1");
  EXPECT_THAT(whole.elf->needed, ElementsAre("libc.so.6"));
  EXPECT_THAT(whole.gpu_code, ElementsAre("sm_120", "sm_75", "sm_90"));
  for (std::size_t piece :
       {std::size_t{3}, std::size_t{13}, std::size_t{4096}, std::size_t{131072}, file.size()}) {
    const std::optional<LibraryFacts> facts = Watch(file, piece);
    ASSERT_TRUE(facts) << piece;
    EXPECT_EQ(facts->elf, whole.elf) << piece;
    EXPECT_EQ(facts->gpu_code, whole.gpu_code) << piece;
  }
}

TEST(LibraryWatcher, SmallFilesAreKeptWhole) {
  const std::string file = MakeLibrary({.size = 2 * kMiB,
                                        .strings = 4096,
                                        .code = 8192,
                                        .dynamic = 1024,
                                        .sections = 2 * kMiB - 512});
  const std::optional<LibraryFacts> facts = Watch(file, 1000);
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->elf, ReadLibrary(file).elf);
  EXPECT_EQ(facts->gpu_code, ReadLibrary(file).gpu_code);
}

TEST(LibraryWatcher, SaysWhenSomethingPassedThatIsNeeded) {
  Layout strings;
  strings.strings = 5 * kMiB + kMiB / 2;
  EXPECT_FALSE(Watch(MakeLibrary(strings), 65536));
  Layout sections;
  sections.sections = 6 * kMiB + 4096;
  EXPECT_FALSE(Watch(MakeLibrary(sections), 65536));
}

TEST(LibraryWatcher, OtherFilesHaveNoFacts) {
  for (const std::string& file : {""s, "\x7f"s, "ab"s, std::string(5 * kMiB, 'x')}) {
    const std::optional<LibraryFacts> facts = Watch(file, 100'000);
    ASSERT_TRUE(facts);
    EXPECT_FALSE(facts->elf);
    EXPECT_THAT(facts->gpu_code, IsEmpty());
  }
}

TEST(LibraryWatcher, DamageIsSeenAsInTheWholeFile) {
  const Layout layout{
      .size = 2 * kMiB, .strings = 4096, .code = 8192, .dynamic = 1024, .sections = 2 * kMiB - 512};
  const std::string original = MakeLibrary(layout);
  std::mt19937 random(7);
  for (int round = 0; round < 300; ++round) {
    std::string file = original;
    for (int i = 0; i < 8; ++i) {
      const std::uint64_t places[] = {0, 64, layout.dynamic, layout.code, layout.sections};
      file[places[random() % 5] + random() % 200] = static_cast<char>(random());
    }
    const std::optional<LibraryFacts> facts = Watch(file, 60'000);
    ASSERT_TRUE(facts);
    const LibraryFacts whole = ReadLibrary(file);
    EXPECT_EQ(facts->elf, whole.elf);
    EXPECT_EQ(facts->gpu_code, whole.gpu_code);
  }
}

TEST(LibraryWatcher, BeginningsOfCodeWithoutEndCostNoMemory) {
  std::string file = MakeLibrary({});
  std::string beginning = FatBinary(90, UINT32_MAX / 1024);
  for (std::uint64_t at = 4 * kMiB + 8; at < 6 * kMiB; at += 16) {
    PlaceText(file, at, std::string_view(beginning).substr(0, 16));
  }
  const std::optional<LibraryFacts> facts = Watch(file, 65536);
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->elf, ReadLibrary(file).elf);
  EXPECT_THAT(facts->gpu_code, IsEmpty());
}

}  // namespace
}  // namespace imgbuild::layers
