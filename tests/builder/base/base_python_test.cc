#include "builder/base/base_python.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "specs/base/error.h"
#include "tests/builder/base/make_base.h"

namespace imgbuild::builder {
namespace {

using layers::TarMaker;
using testing::AllOf;
using testing::HasSubstr;

std::string Complaint(const layers::BaseImage& base, const char* version) {
  try {
    FindBasePython(base, version);
    return "";
  } catch (const specs::Error& error) {
    return error.what();
  }
}

TEST(FindBasePython, IsDebiansAndWhatLinksLeadTo) {
  const layers::BaseImage base = MakeBase(TarMaker()
                                              .Symlink("bin", "usr/bin")
                                              .Symlink("lib", "usr/lib")
                                              .File("usr/bin/python3.11", PythonProgram("3.11.2"))
                                              .Symlink("usr/bin/python3", "python3.11")
                                              .File("usr/lib/x86_64-linux-gnu/libc.so.6", kGlibc));
  EXPECT_EQ(FindBasePython(base, "3.11"), (BasePython{"/usr/bin/python3.11", "3.11.2", 2, 36}));
}

TEST(FindBasePython, IsTheFirstOnThePathWithItsVersionInTheLibrary) {
  const layers::BaseImage base =
      MakeBase(TarMaker()
                   .File("usr/bin/python3.11", PythonProgram("3.11.2"))
                   .File("opt/python/bin/python3.11", "calls its library")
                   .File("opt/python/lib/libpython3.11.so.1.0", PythonProgram("3.11.9"))
                   .File("usr/lib/x86_64-linux-gnu/libc.so.6", kGlibc),
               {"LANG=C", "PATH=/opt/python/bin:/usr/bin"});
  EXPECT_EQ(FindBasePython(base, "3.11"),
            (BasePython{"/opt/python/bin/python3.11", "3.11.9", 2, 36}));
}

TEST(FindBasePython, SaysWhichThereAre) {
  const layers::BaseImage base = MakeBase(TarMaker()
                                              .File("usr/bin/python3.12", PythonProgram("3.12.3"))
                                              .File("usr/bin/python3.9", PythonProgram("3.9.2"))
                                              .File("lib/libc.so.6", kGlibc));
  EXPECT_THAT(Complaint(base, "3.11"),
              AllOf(HasSubstr("the base image has no Python 3.11"), HasSubstr("Python 3.12, 3.9")));
  const layers::BaseImage none =
      MakeBase(TarMaker().File("etc/os-release", "ID=ubuntu\nPRETTY_NAME=\"Ubuntu 22.04 LTS\"\n"));
  EXPECT_THAT(Complaint(none, "3.11"),
              AllOf(HasSubstr("none at all, in Ubuntu 22.04 LTS"), HasSubstr("/usr/local/sbin")));
}

TEST(FindBasePython, NeedsGlibcAndAVersion) {
  EXPECT_THAT(Complaint(MakeBase(TarMaker()
                                     .File("usr/bin/python3.11", PythonProgram("3.11.2"))
                                     .File("lib/ld-musl-x86_64.so.1", "")),
                        "3.11"),
              HasSubstr("musl"));
  EXPECT_THAT(
      Complaint(
          MakeBase(TarMaker().File("usr/bin/python3.11", "a script").File("lib/libc.so.6", kGlibc)),
          "3.11"),
      HasSubstr("does not say which version"));
}

}  // namespace
}  // namespace imgbuild::builder
