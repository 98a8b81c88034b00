#include "layers/unpack/fatbin.h"

#include <algorithm>
#include <cstdint>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/layers/unpack/unpack_fixture.h"

namespace imgbuild::layers {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

void Put(std::string& bytes, std::size_t at, std::uint64_t value, std::size_t width) {
  for (std::size_t i = 0; i < width; ++i) bytes[at + i] = static_cast<char>(value >> (8 * i));
}

// kind 1 is PTX, 2 machine code.
std::string Entry(unsigned kind, unsigned architecture, std::size_t payload) {
  std::string entry(64 + payload, '\0');
  Put(entry, 0, kind, 2);
  Put(entry, 4, 64, 4);
  Put(entry, 8, payload, 8);
  Put(entry, 28, architecture, 4);
  return entry;
}

std::string FatBinary(const std::vector<std::string>& entries) {
  std::string binary(16, '\0');
  Put(binary, 0, 0xba55ed50, 4);
  Put(binary, 4, 1, 2);
  Put(binary, 6, 16, 2);
  for (const std::string& entry : entries) binary += entry;
  Put(binary, 8, binary.size() - 16, 8);
  return binary;
}

// A 64-bit ELF file of a section of that name, and one with the sections' names.
std::string ElfWith(const std::string& name, std::string content, std::size_t smallest = 2048) {
  content.resize(std::max(content.size(), smallest));
  const std::string names = std::string(1, '\0') + ".text" + '\0' + name + '\0';
  std::string file =
      "\x7f"
      "ELF\x02\x01\x01";
  file.resize(64);
  const std::size_t content_at = file.size();
  file += content;
  const std::size_t names_at = file.size();
  file += names;
  file.resize((file.size() + 7) / 8 * 8);
  const std::size_t table = file.size();
  file.resize(table + 3 * 64);
  Put(file, 0x28, table, 8);
  Put(file, 0x3a, 64, 2);
  Put(file, 0x3c, 3, 2);
  Put(file, 0x3e, 2, 2);
  Put(file, table + 64, 7, 4);
  Put(file, table + 64 + 24, content_at, 8);
  Put(file, table + 64 + 32, content.size(), 8);
  Put(file, table + 128, 1, 4);
  Put(file, table + 128 + 24, names_at, 8);
  Put(file, table + 128 + 32, names.size(), 8);
  return file;
}

std::string Library() {
  const std::string padding(24, '\0');
  return ElfWith(".nv_fatbin", FatBinary({Entry(2, 75, 40), Entry(2, 90, 8)}) + padding +
                                   FatBinary({Entry(2, 75, 16), Entry(1, 120, 16)}));
}

TEST(Fatbin, AnEmptyBinaryIsNoCode) {
  const std::string binary = FatBinary({Entry(2, 75, 500)});
  EXPECT_THAT(ReadGpuCode(ElfWith(".nv_fatbin", binary, 0)), IsEmpty());
  EXPECT_THAT(ReadGpuCode(ElfWith(".nv_fatbin", binary)), ElementsAre("sm_75"));
}

TEST(Fatbin, ListsMachineCodeAndPtxOfAllBinaries) {
  EXPECT_THAT(ReadGpuCode(Library()), ElementsAre("compute_120", "sm_75", "sm_90"));
}

TEST(Fatbin, OtherFilesHaveNone) {
  EXPECT_THAT(ReadGpuCode(""), IsEmpty());
  EXPECT_THAT(ReadGpuCode(std::string(1000, 'x')), IsEmpty());
  EXPECT_THAT(ReadGpuCode(ElfWith(".rodata", FatBinary({Entry(2, 75, 8)}))), IsEmpty());
  EXPECT_THAT(ReadGpuCode(ElfWith(".nv_fatbin", "")), IsEmpty());
}

TEST(Fatbin, ImpossibleSizesEndTheList) {
  std::string entry = Entry(2, 80, 8);
  Put(entry, 8, UINT64_MAX, 8);
  EXPECT_THAT(
      ReadGpuCode(ElfWith(".nv_fatbin", FatBinary({Entry(2, 75, 8), entry, Entry(2, 90, 8)}))),
      ElementsAre("sm_75"));
  entry = Entry(2, 80, 8);
  Put(entry, 4, 0, 4);
  EXPECT_THAT(ReadGpuCode(ElfWith(".nv_fatbin", FatBinary({entry}))), IsEmpty());
  EXPECT_THAT(ReadGpuCode(ElfWith(".nv_fatbin", FatBinary({Entry(2, 1u << 31, 8)}))), IsEmpty());
  std::string binary = FatBinary({Entry(2, 75, 8)});
  Put(binary, 8, UINT64_MAX - 8, 8);
  EXPECT_THAT(ReadGpuCode(ElfWith(".nv_fatbin", binary)), IsEmpty());
}

TEST(Fatbin, DamageIsReadWithinBounds) {
  const std::string original = Library();
  for (std::size_t size = 0; size < original.size(); ++size) {
    (void)ReadGpuCode(std::string(original, 0, size));
  }
  std::mt19937 random(11);
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes = original;
    for (int i = 0; i < 3; ++i) bytes[random() % bytes.size()] = static_cast<char>(random());
    EXPECT_LE(ReadGpuCode(bytes).size(), 5u);
  }
}

class FatbinInDeb : public UnpackTest {};

TEST_F(FatbinInDeb, IsToldByThePackagesFacts) {
  support::MakeDeb deb;
  deb.File("./usr/lib/x86_64-linux-gnu/libcublas.so.11", Library());
  deb.File("./usr/lib/x86_64-linux-gnu/libplain.so.1", ElfWith(".data", "none"));
  EXPECT_THAT(Deb(deb).facts.gpu_code, ElementsAre("compute_120", "sm_75", "sm_90"));
}

}  // namespace
}  // namespace imgbuild::layers
