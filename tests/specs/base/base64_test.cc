#include "specs/base/base64.h"

#include <gtest/gtest.h>

#include "specs/base/secret.h"

namespace imgbuild::specs {
namespace {

// RFC 4648, section 10.
TEST(Base64Test, TheStandardsExamples) {
  const std::pair<const char*, const char*> examples[] = {{"", ""},
                                                          {"f", "Zg=="},
                                                          {"fo", "Zm8="},
                                                          {"foo", "Zm9v"},
                                                          {"foob", "Zm9vYg=="},
                                                          {"fooba", "Zm9vYmE="},
                                                          {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, encoded] : examples) {
    EXPECT_EQ(Base64Encode(plain), encoded);
    EXPECT_EQ(Base64Decode(encoded), plain);
  }
}

TEST(Base64Test, EveryByteComesBack) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  EXPECT_EQ(Base64Decode(Base64Encode(bytes)), bytes);
}

TEST(Base64Test, PaddingMayBeMissing) { EXPECT_EQ(Base64Decode("Zm9vYg"), "foob"); }

TEST(Base64Test, WhatIsNoBase64IsRefused) {
  for (const char* text : {"Z", "Zg=", "Z===", "Zm9v!", "Zm 9v", "Zh==", "====", "Zg==Zg=="}) {
    EXPECT_EQ(Base64Decode(text), std::nullopt) << text;
  }
}

TEST(SecretTest, MovesAndCopiesKeepTheText) {
  Secret first("token");
  Secret second = first;
  Secret third = std::move(first);
  EXPECT_EQ(second, third);
  EXPECT_EQ(third.Reveal(), "token");
  EXPECT_TRUE(first.empty());  // NOLINT(bugprone-use-after-move): that it is wiped is the point
}

}  // namespace
}  // namespace imgbuild::specs
