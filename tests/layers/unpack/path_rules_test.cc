#include <gtest/gtest.h>

#include "layers/unpack/captured_paths.h"
#include "layers/unpack/deb_paths.h"
#include "layers/unpack/excluded_paths.h"
#include "layers/unpack/pyc.h"
#include "specs/base/error.h"

namespace imgbuild::layers {
namespace {

TEST(ExcludedPaths, FollowTheirTable) {
  auto file = [](std::string_view path) { return ExcludedPath(path, NodeType::kFile); };
  EXPECT_TRUE(file("usr/share/doc/x/README"));
  EXPECT_FALSE(file("usr/share/doc/x/copyright"));
  EXPECT_FALSE(file("usr/share/doc"));
  EXPECT_TRUE(file("usr/share/man/de/man1/x.1.gz"));
  EXPECT_TRUE(file("usr/share/locale/de/LC_MESSAGES/x.mo"));
  EXPECT_FALSE(file("usr/share/locale/locale.alias"));
  EXPECT_FALSE(file("usr/share/documents/x"));
  EXPECT_FALSE(ExcludedPath("usr/share/doc/libgcc-s1", NodeType::kSymlink));
  EXPECT_TRUE(ExcludedPath("usr/share/doc/x", NodeType::kDirectory));
}

TEST(CapturedPaths, FollowTheirTable) {
  EXPECT_TRUE(CapturedPath("etc/a/b", 10));
  EXPECT_FALSE(CapturedPath("etc/a/b", 300 << 10));
  EXPECT_TRUE(CapturedPath("usr/share/base-passwd/passwd.master", 10));
  EXPECT_FALSE(CapturedPath("usr/share/base-passwd/x/y", 10));
  EXPECT_FALSE(CapturedPath("usr/share/ca-certificates/a/b.txt", 10));
  EXPECT_TRUE(CapturedPath("usr/share/ca-certificates/a/b.crt", 10));
  EXPECT_FALSE(CapturedPath("usr/share/zoneinfo/UTC", 10));
  EXPECT_FALSE(CapturedPath("etcetera/x", 10));
}

TEST(DebPaths, MergeUsr) {
  using specs::Suite;
  auto merged = [](std::string_view path) {
    return MergedUsrPath(path, NodeType::kFile, Suite::kBookworm).value();
  };
  EXPECT_EQ(merged("bin/a"), "usr/bin/a");
  EXPECT_EQ(merged("lib64/ld.so"), "usr/lib64/ld.so");
  EXPECT_EQ(merged("libexec/a"), "libexec/a");
  EXPECT_EQ(merged("usr/bin/a"), "usr/bin/a");
  EXPECT_EQ(MergedUsrPath("lib", NodeType::kDirectory, Suite::kTrixie), "usr/lib");
  EXPECT_EQ(MergedUsrPath("lib", NodeType::kSymlink, Suite::kTrixie), "lib");
  EXPECT_EQ(MergedUsrPath("lib", NodeType::kSymlink, Suite::kBookworm), std::nullopt);
  EXPECT_THROW(DebMemberPath("/a"), specs::Error);
  EXPECT_EQ(DebMemberPath("./"), "");
}

TEST(Pyc, PathsAndChoice) {
  EXPECT_EQ(PycPath("a/b.py", "3.11"), "a/__pycache__/b.cpython-311.pyc");
  EXPECT_EQ(PycPath("b.py", "3.13"), "__pycache__/b.cpython-313.pyc");
  EXPECT_TRUE(IsCompiled("t/p/a.py", "t", specs::Compile::kDefault));
  EXPECT_FALSE(IsCompiled("t/p/tests/a.py", "t", specs::Compile::kDefault));
  EXPECT_TRUE(IsCompiled("t/p/tests/a.py", "t", specs::Compile::kAll));
  EXPECT_TRUE(IsCompiled("t/tests/a.py", "t", specs::Compile::kDefault));
  EXPECT_FALSE(IsCompiled("t/p/a.pyi", "t", specs::Compile::kAll));
  EXPECT_FALSE(IsCompiled("u/a.py", "t", specs::Compile::kAll));
}

}  // namespace
}  // namespace imgbuild::layers
