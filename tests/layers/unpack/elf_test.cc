#include "layers/unpack/elf.h"

#include <cstring>

#include <elf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace imgbuild::layers {
namespace {

using testing::ElementsAre;
using namespace std::string_literals;

template <typename Record>
void Append(std::string& out, const Record& record) {
  out.append(reinterpret_cast<const char*>(&record), sizeof(record));
}

// A shared object of one loaded segment at address 0x1000, with a dynamic section.
std::string MakeElf(std::uint16_t type = ET_DYN, std::uint32_t extra_segment = PT_NULL) {
  const std::string strings = "\0libdemo.so.1\0libc.so.6\0libm.so.6\0$ORIGIN/../x:/opt\0"s;
  constexpr std::uint64_t kBase = 0x1000;
  std::uint64_t dynamic_at = sizeof(Elf64_Ehdr) + 3 * sizeof(Elf64_Phdr);
  std::vector<Elf64_Dyn> dynamic(7);
  std::uint64_t strings_at = dynamic_at + dynamic.size() * sizeof(Elf64_Dyn);
  const std::pair<std::int64_t, std::uint64_t> values[] = {{DT_SONAME, 1},
                                                           {DT_NEEDED, 14},
                                                           {DT_NEEDED, 24},
                                                           {DT_STRTAB, kBase + strings_at},
                                                           {DT_STRSZ, strings.size()},
                                                           {DT_RUNPATH, 34},
                                                           {DT_NULL, 0}};
  for (std::size_t i = 0; i < dynamic.size(); ++i) {
    dynamic[i].d_tag = values[i].first;
    dynamic[i].d_un.d_val = values[i].second;
  }
  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_type = type;
  header.e_machine = EM_X86_64;
  header.e_phoff = sizeof(header);
  header.e_phentsize = sizeof(Elf64_Phdr);
  header.e_phnum = 3;
  std::string out;
  Append(out, header);
  std::uint64_t size = strings_at + strings.size();
  Append(out, Elf64_Phdr{PT_LOAD, 5, 0, kBase, kBase, size, size, 1});
  Append(out, Elf64_Phdr{PT_DYNAMIC, 6, dynamic_at, kBase + dynamic_at, 0,
                         dynamic.size() * sizeof(Elf64_Dyn), 0, 8});
  Append(out, Elf64_Phdr{extra_segment, 4, 0, 0, 0, 0, 0, 1});
  for (const Elf64_Dyn& entry : dynamic) Append(out, entry);
  return out + strings;
}

TEST(Elf, ReadsASharedObject) {
  std::optional<ElfFacts> facts = ReadElf(MakeElf());
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->machine, 62);
  EXPECT_TRUE(facts->shared_object);
  EXPECT_EQ(facts->soname, "libdemo.so.1");
  EXPECT_THAT(facts->needed, ElementsAre("libc.so.6", "libm.so.6"));
  EXPECT_THAT(facts->runpath, ElementsAre("$ORIGIN/../x", "/opt"));
}

TEST(Elf, ProgramsAreNoSharedObjects) {
  EXPECT_FALSE(ReadElf(MakeElf(ET_DYN, PT_INTERP))->shared_object);
  EXPECT_FALSE(ReadElf(MakeElf(ET_EXEC))->shared_object);
  EXPECT_FALSE(ReadElf(MakeElf(ET_REL)));
}

TEST(Elf, OtherFilesAreNone) {
  EXPECT_FALSE(ReadElf(""));
  EXPECT_FALSE(
      ReadElf("\x7f"
              "ELF"));
  EXPECT_FALSE(ReadElf("#!/bin/sh\n"));
}

TEST(Elf, DamageIsNeverFollowed) {
  const std::string elf = MakeElf();
  for (std::size_t size = 0; size < elf.size(); ++size) {
    (void)ReadElf(std::string(elf.data(), size));
  }
  for (std::size_t at = 0; at < elf.size(); ++at) {
    for (int change : {0x01, 0x80, 0xff}) {
      std::string changed = elf;
      changed[at] = static_cast<char>(changed[at] ^ change);
      (void)ReadElf(changed);
    }
  }
}

}  // namespace
}  // namespace imgbuild::layers
