// The programs that images get, as files.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <elf.h>
#include <gtest/gtest.h>
#include <string.h>

namespace imgbuild::runtime {
namespace {

// One program for one machine, with all that it needs in it, and small.
void Check(const std::string& path, Elf64_Half machine) {
  SCOPED_TRACE(path);
  std::ifstream file(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  ASSERT_GT(bytes.size(), sizeof(Elf64_Ehdr));
  EXPECT_LT(bytes.size(), 1'500'000u);
  Elf64_Ehdr header;
  memcpy(&header, bytes.data(), sizeof header);
  ASSERT_EQ(memcmp(header.e_ident, ELFMAG, SELFMAG), 0);
  EXPECT_EQ(header.e_machine, machine);
  for (int i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr part;
    memcpy(&part, bytes.data() + header.e_phoff + sizeof part * static_cast<std::size_t>(i),
           sizeof part);
    EXPECT_NE(part.p_type, static_cast<Elf64_Word>(PT_INTERP));
    EXPECT_NE(part.p_type, static_cast<Elf64_Word>(PT_DYNAMIC));
  }
}

TEST(Binary, IsStaticAndSmallForBothArchitectures) {
  Check(IMGBUILD_INIT_FOLDER "/init-amd64", EM_X86_64);
  Check(IMGBUILD_INIT_FOLDER "/init-arm64", EM_AARCH64);
}

}  // namespace
}  // namespace imgbuild::runtime
