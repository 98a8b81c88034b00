#include "builder/cli/local_files.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "specs/base/error.h"
#include "tests/support/temp_folder.h"

namespace imgbuild::builder {
namespace {

using specs::LocalKind;

TEST(LocalProblem, IsWhatKeepsAPathFromBeingRead) {
  const support::TempFolder folder;
  const std::string top = folder.path().string();
  const std::string file = top + "/file";
  std::ofstream(file) << "x";
  std::filesystem::create_symlink("nowhere", top + "/link");
  EXPECT_EQ(LocalProblem(file, LocalKind::kFile), "");
  EXPECT_EQ(LocalProblem(file, LocalKind::kFileOrFolder), "");
  EXPECT_EQ(LocalProblem(top, LocalKind::kFileOrFolder), "");
  EXPECT_EQ(LocalProblem(top, LocalKind::kFile), top + " is a folder, expected a file");
  for (const std::string& missing : {top + "/none", file + "/below", top + "/link"}) {
    EXPECT_EQ(LocalProblem(missing, LocalKind::kFile), "there is no file " + missing);
    EXPECT_EQ(LocalProblem(missing, LocalKind::kFileOrFolder),
              "there is no file or folder " + missing);
  }
}

// The message of what RequireKeyring throws; "" where it takes the spec.
std::string Refusal(const specs::LoadedSpec& loaded) {
  try {
    RequireKeyring(loaded);
  } catch (const specs::Error& error) {
    EXPECT_EQ(error.kind(), specs::ErrorKind::kUsage);
    return error.what();
  }
  return "";
}

TEST(RequireKeyring, AsksForItWhereDebianIsAsked) {
  const support::TempFolder folder;
  specs::LoadedSpec loaded;
  loaded.sources.positions["system.keyring"] = {"spec.toml", 2, 1};
  EXPECT_EQ(Refusal(loaded), "");
  const std::string file = (folder.path() / "keys.gpg").string();
  loaded.spec.system.keyring = file;
  EXPECT_EQ(Refusal(loaded), "spec.toml:2:1: there is no file " + file);
  loaded.spec.system.image = "registry.example/python:3.11";
  EXPECT_NE(Refusal(loaded), "") << "its Python compiles";
  loaded.spec.python.version = "3.12";
  EXPECT_EQ(Refusal(loaded), "") << "no suite has that Python";
  loaded.spec.system.image.reset();
  std::ofstream(file) << "keys";
  EXPECT_EQ(Refusal(loaded), "");
}

}  // namespace
}  // namespace imgbuild::builder
