#include "layers/io/shared_library.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "specs/base/error.h"

namespace imgbuild::layers {
namespace {

using ::testing::HasSubstr;

TEST(SharedLibraryTest, FindsAFunction) {
  SharedLibrary math("libm.so.6", "libc6");
  EXPECT_EQ(math.Find<double (*)(double)>("sqrt")(9.0), 3.0);
}

TEST(SharedLibraryTest, AMissingLibraryNamesItsPackage) {
  try {
    SharedLibrary missing("libno-such-thing.so.7", "libno-such-thing7");
    FAIL() << "no error";
  } catch (const specs::Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("libno-such-thing.so.7"));
    EXPECT_THAT(error.what(), HasSubstr("install the package libno-such-thing7"));
  }
}

TEST(SharedLibraryTest, AMissingFunctionIsAnError) {
  SharedLibrary math("libm.so.6", "libc6");
  EXPECT_THROW(math.Find<void (*)()>("no_such_function"), specs::Error);
}

}  // namespace
}  // namespace imgbuild::layers
