// A project in the small world, and what every failure of the program must keep: one clear error,
// its exit status, no output, a sound cache, and success of the same command afterwards.
#pragma once

#include <filesystem>
#include <string>

#include <gtest/gtest.h>

#include "tests/support/temp_folder.h"
#include "tests/whole_build/world.h"

namespace imgbuild::bad_input {

using support::ServedRequest;
using support::ServedResponse;
using whole_build::Ended;
using whole_build::Invocation;
using whole_build::World;

// Exit statuses, as a user's script sees them.
inline constexpr int kFailure = 1;
inline constexpr int kUsage = 2;
inline constexpr int kUnresolvable = 3;
inline constexpr int kVerification = 4;
inline constexpr int kInterrupted = 130;

// Builds for one platform, in a second: Debian's base, fastapi and starlette.
inline constexpr char kSpec[] = R"(format = 1
[image]
name = "small"
platforms = ["linux/amd64"]
[system]
keyring = "archive.gpg"
[python]
version = "3.11"
packages = ["fastapi"]
compile = "none"
)";

class BadInput : public testing::Test {
 protected:
  BadInput();

  std::filesystem::path project() const { return folder_.path() / "project"; }
  std::filesystem::path cache() const { return folder_.path() / "cache"; }
  std::filesystem::path lock() const { return project() / "small.lock"; }
  void Write(const std::string& name, const std::string& text) const;

  // "build small.toml"; a server may be silent for one second.
  Invocation Build() const;
  // Any command, in the project.
  Invocation Command(const std::vector<std::string>& arguments) const;

  // Runs it and expects a failure that keeps everything; its output.
  std::string Fail(const Invocation& run, int status);
  // Runs it and expects a good image; its output.
  std::string Succeed(const Invocation& run);
  // No output, no unfinished file, a lock that is whole if it is there.
  void ExpectNothingLeft() const;
  void ExpectSoundCache();

  World world_{whole_build::Contents::kSmall};
  support::TempFolder folder_;
};

}  // namespace imgbuild::bad_input
