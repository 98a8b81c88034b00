#include "builder/assemble/required_libraries.h"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "layers/io/file.h"
#include "specs/base/error.h"

namespace imgbuild::builder {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

// Has the soname "libx.so.1".
constexpr char kLibrary[] = "tests/fuzz/corpus/wheel_files/libx.so";

class RequiredLibraries : public testing::Test {
 protected:
  RequiredLibraries() {
    layers::FileFacts plugin;
    plugin.path = "opt/venv/plugin.so";
    plugin.elf = layers::ElfFacts{62, true, "", {"libGL.so.1", "libx.so.1"}, {}};
    packages_.emplace_back().facts.name = "wheel";
    packages_[0].facts.files = {plugin};
  }

  // "" if nothing is missing.
  std::string Complaint() {
    try {
      RequireLibraries(packages_, {.base = base_, .user = user_, .allowed = allowed_});
      return "";
    } catch (const specs::Error& error) {
      return error.what();
    }
  }

  std::vector<ReadyPackage> packages_;
  const layers::BaseImage* base_ = nullptr;
  layers::ContentTree user_;
  std::vector<std::string> allowed_;
};

TEST_F(RequiredLibraries, AnErrorNamesPackageFileRemedyAndEscape) {
  EXPECT_THAT(Complaint(),
              AllOf(HasSubstr("wheel needs libGL.so.1 (in opt/venv/plugin.so)"),
                    HasSubstr("add to system.packages: \"libgl1\""),
                    HasSubstr("image.allow-missing-libraries = [\"libGL.so.1\", \"libx.so.1\"]")));
}

TEST_F(RequiredLibraries, WhatIsAllowedIsNotAskedFor) {
  allowed_ = {"libGL.so.1"};
  EXPECT_THAT(Complaint(), AllOf(Not(HasSubstr("libGL")), HasSubstr("libx.so.1")));
  allowed_ = {"libGL.so.1", "libx.so.1"};
  EXPECT_EQ(Complaint(), "");
}

TEST_F(RequiredLibraries, TheUsersFilesBringThemByNameLinkAndSoname) {
  user_["usr/local/lib/libGL.so.1"] = layers::MakeSymlink("libGL.so.1.7");
  EXPECT_THAT(Complaint(), Not(HasSubstr("libGL.so.1 (in")));
  user_["usr/local/lib/libx.so.1.2"] = layers::MakeFile(layers::ReadFile(kLibrary));
  EXPECT_EQ(Complaint(), "");
  layers::ContentFile on_disk;
  on_disk.node.size = std::filesystem::file_size(kLibrary);
  on_disk.disk_path = kLibrary;
  user_["usr/local/lib/libx.so.1.2"] = on_disk;
  EXPECT_EQ(Complaint(), "");
  user_["usr/local/lib/libx.so.1.2"] = layers::MakeFile("no library");
  EXPECT_THAT(Complaint(), HasSubstr("libx.so.1 (in"));
}

TEST_F(RequiredLibraries, ABaseImageBringsThemByName) {
  layers::BaseImage base;
  base_ = &base;
  EXPECT_THAT(Complaint(), HasSubstr("the base image or [[files]] have to bring them"));
  for (const char* path : {"usr/lib/libGL.so.1", "usr/lib/libx.so.1"}) {
    base.files.files.emplace_back().path = path;
  }
  EXPECT_EQ(Complaint(), "");
}

}  // namespace
}  // namespace imgbuild::builder
