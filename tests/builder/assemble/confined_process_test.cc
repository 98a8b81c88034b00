// What a program that is not trusted sees of this machine. Skips where user namespaces are
// forbidden.
#include "builder/assemble/confined_process.h"

#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "layers/io/file.h"
#include "tests/support/temp_folder.h"

namespace imgbuild::builder {
namespace {

namespace fs = std::filesystem;

struct Ran {
  std::string failure;
  std::string output;
  int status = 0;
};

Ran Confine(const fs::path& root, const std::vector<std::string>& words,
            Confinement confinement = Confinement::kConfined) {
  std::array<int, 2> ends{};
  EXPECT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
  const layers::FileDescriptor reading(ends[0]);
  layers::FileDescriptor writing(ends[1]);
  const layers::FileDescriptor nothing(open("/dev/null", O_RDONLY | O_CLOEXEC));
  const StartedProcess started = StartConfined(
      {.root = root, .words = words, .input = nothing.get(), .output = writing.get()}, confinement);
  writing.Reset();
  Ran ran{.failure = started.failure, .output = {}};
  if (!started.failure.empty()) return ran;
  char buffer[4096];
  for (ssize_t got; (got = read(reading.get(), buffer, sizeof buffer)) > 0;) {
    ran.output.append(buffer, static_cast<std::size_t>(got));
  }
  waitpid(started.pid, &ran.status, 0);
  return ran;
}

class ConfinedProcess : public testing::Test {
 protected:
  void SetUp() override {
    const Ran probe = Confine("/", {"/bin/true"});
    if (!probe.failure.empty()) GTEST_SKIP() << "this machine confines nothing: " << probe.failure;
  }

  // A root with "cat" in it.
  std::vector<std::string> CatIn(const fs::path& root) {
    fs::path libraries = fs::canonical("/lib") / "x86_64-linux-gnu";
    std::string linker = "ld-linux-x86-64.so.2";
    if (!fs::exists(libraries)) {
      libraries = fs::canonical("/lib") / "aarch64-linux-gnu";
      linker = "ld-linux-aarch64.so.1";
    }
    fs::create_directories(root / "lib");
    for (const std::string& name : {linker, std::string("libc.so.6")}) {
      fs::copy_file(fs::canonical(libraries / name), root / "lib" / name);
    }
    fs::copy_file("/bin/cat", root / "cat");
    return {"/lib/" + linker, "--library-path", "/lib", "/cat"};
  }
};

TEST_F(ConfinedProcess, SeesNoFileButThoseOfItsRoot) {
  const support::TempFolder folder;
  std::vector<std::string> words = CatIn(folder.path() / "root");
  std::ofstream(folder.path() / "root/inside") << "inside";
  std::ofstream(folder.path() / "outside") << "outside";
  words.emplace_back("/inside");
  const Ran inside = Confine(folder.path() / "root", words);
  EXPECT_EQ(inside.failure, "");
  EXPECT_EQ(inside.output, "inside");
  for (const std::string& path : {(folder.path() / "outside").string(), std::string("/../outside"),
                                  std::string("../outside")}) {
    words.back() = path;
    const Ran outside = Confine(folder.path() / "root", words);
    EXPECT_EQ(outside.output, "") << path;
    EXPECT_NE(outside.status, 0) << path;
  }
}

TEST_F(ConfinedProcess, HasNoNetworkNoOtherProcessesAndNoRights) {
  if (!fs::exists("/usr/bin/python3")) GTEST_SKIP() << "this machine has no Python";
  const std::string script = "parent = " + std::to_string(getpid()) + R"python(
import ctypes, os, socket
print("pid", os.getpid())
print("interfaces", *(name for _, name in socket.if_nameindex()))
try:
    os.kill(parent, 0)
    print("sees its parent")
except ProcessLookupError:
    print("alone")
libc = ctypes.CDLL(None, use_errno=True)
print("mount", libc.mount(b"/", b"/", None, 4096, None))
print("nnp", libc.prctl(39, 0, 0, 0, 0))
)python";
  const Ran ran = Confine("/", {"/usr/bin/python3", "-I", "-c", script});
  EXPECT_EQ(ran.failure, "");
  EXPECT_EQ(ran.output, "pid 1\ninterfaces lo\nalone\nmount -1\nnnp 1\n");
}

TEST_F(ConfinedProcess, WritesToNoFile) {
  const support::TempFolder folder;
  const fs::path file = folder.path() / "written";
  for (const Confinement confinement : {Confinement::kConfined, Confinement::kLimited}) {
    EXPECT_EQ(Confine("/", {"/bin/sh", "-c", "echo text >" + file.string()}, confinement).output,
              "");
    std::error_code none;
    EXPECT_TRUE(!fs::exists(file) || fs::file_size(file, none) == 0);
  }
}

TEST_F(ConfinedProcess, WhatCannotBeStartedIsSaid) {
  EXPECT_THAT(Confine("/", {"/no/such/program"}).failure,
              testing::HasSubstr("cannot start it: No such"));
  EXPECT_THAT(Confine("/no/such/root", {"/bin/true"}).failure,
              testing::HasSubstr("cannot change its root: No such"));
}

}  // namespace
}  // namespace imgbuild::builder
