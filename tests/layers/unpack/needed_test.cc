#include "layers/unpack/needed.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "layers/unpack/well_known_libraries.h"

namespace imgbuild::layers {
namespace {

PackageFacts Package(std::string name, std::vector<FileFacts> files) {
  PackageFacts facts;
  facts.name = std::move(name);
  facts.files = std::move(files);
  return facts;
}

FileFacts Elf(std::string path, std::vector<std::string> needed, std::string soname = "",
              std::uint16_t machine = 62) {
  FileFacts file;
  file.path = std::move(path);
  file.elf = ElfFacts{machine, true, std::move(soname), std::move(needed), {}};
  return file;
}

FileFacts Link(std::string path) {
  FileFacts file;
  file.path = std::move(path);
  file.node.type = NodeType::kSymlink;
  return file;
}

std::vector<MissingLibrary> Check(const std::vector<PackageFacts>& packages,
                                  const NeededOptions& options = {}) {
  std::vector<const PackageFacts*> pointers;
  for (const PackageFacts& package : packages) pointers.push_back(&package);
  return CheckNeeded(pointers, options);
}

TEST(Needed, AMissingLibraryNamesPackageFileAndRemedy) {
  auto missing =
      Check({Package("libc6", {Elf("usr/lib/libc.so.6", {}, "libc.so.6")}),
             Package("opencv-python", {Elf("site/cv2.so", {"libGL.so.1", "libc.so.6"})})});
  ASSERT_EQ(missing.size(), 1u);
  EXPECT_EQ(missing[0], (MissingLibrary{"opencv-python", "site/cv2.so", "libGL.so.1", "libgl1"}));
}

TEST(Needed, LibrariesAreFoundBySonameNameAndLink) {
  EXPECT_TRUE(Check({Package("a", {Elf("x/liba-1.so", {}, "liba.so.1"), Elf("y/libb.so", {}),
                                   Link("z/libc.so.1")}),
                     Package("w", {Elf("s/w.so", {"liba.so.1", "libb.so", "libc.so.1"})})})
                  .empty());
}

TEST(Needed, ForeignFilesNeitherAskNorAnswer) {
  auto missing =
      Check({Package("a", {Elf("a.so", {"libx.so"}), Elf("b.so", {}), Elf("c.so", {}),
                           Elf("libx.so", {}, "libx.so", 3), Elf("i386.so", {"liby.so"}, "", 3)})});
  ASSERT_EQ(missing.size(), 1u);
  EXPECT_EQ(missing[0].file, "a.so");
}

TEST(Needed, DriversMuslAndOptionalPartsAreNotAsked) {
  EXPECT_TRUE(Check({Package("a", {Elf("torch.so", {"libcuda.so.1", "libnvidia-ml.so.1"}),
                                   Elf("m.so", {"libc.musl-x86_64.so.1", "libz.so.9"}),
                                   Elf("PyQt5/Qt5/plugins/sqldrivers/q.so", {"libfb.so.2"})})})
                  .empty());
}

TEST(Needed, WhatABaseImageBringsCounts) {
  NeededOptions options;
  options.provided = {"libbase.so.1"};
  EXPECT_TRUE(Check({Package("a", {Elf("a.so", {"libbase.so.1"})})}, options).empty());
}

TEST(Needed, TheTableIsSorted) {
  for (std::size_t i = 1; i < kWellKnownLibraries.size(); ++i) {
    EXPECT_LT(kWellKnownLibraries[i - 1].soname, kWellKnownLibraries[i].soname);
  }
  EXPECT_EQ(SuggestedPackage("libgomp.so.1"), "libgomp1");
  EXPECT_EQ(SuggestedPackage("libnothing.so"), "");
}

}  // namespace
}  // namespace imgbuild::layers
