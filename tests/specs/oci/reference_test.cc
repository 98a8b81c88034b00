#include "specs/oci/reference.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "specs/base/error.h"

namespace imgbuild::specs {
namespace {

using testing::HasSubstr;

const std::string kDigest = "sha256:" + std::string(64, 'a');

TEST(ReferenceTest, AllParts) {
  const Reference reference =
      ParseReference("registry.example:5000/team/note_book:3.11-slim@" + kDigest);
  EXPECT_EQ(reference.registry, "registry.example:5000");
  EXPECT_EQ(reference.repository, "team/note_book");
  EXPECT_EQ(reference.tag, "3.11-slim");
  EXPECT_EQ(reference.digest->Oci(), kDigest);
  EXPECT_EQ(reference.Name(), "registry.example:5000/team/note_book");
}

TEST(ReferenceTest, RendersWhatWasParsed) {
  for (std::string text : {"registry.example/a", "localhost/a:b", "127.0.0.1:5000/a/b/c:V1.0_x",
                           "[::1]:5000/a:b", "registry.example/a"}) {
    EXPECT_EQ(ParseReference(text).Render(), text);
    EXPECT_EQ(ParseReference(text + "@" + kDigest).Render(), text + "@" + kDigest);
  }
}

TEST(ReferenceTest, SaysWhichPartIsWrong) {
  const std::pair<std::string, std::string> wrong[] = {
      {"python:3.11", "names no registry"},
      {"team/notebook", "names no registry"},
      {"", "names no registry"},
      {"registry.example:99999/a", "names no registry"},
      {"registry.example:/a", "names no registry"},
      {"-registry.example/a", "names no registry"},
      {"registry..example/a", "names no registry"},
      {"[zz]:1/a", "names no registry"},
      {"registry.example/", "its path"},
      {"registry.example/A", "its path"},
      {"registry.example/a//b", "its path"},
      {"registry.example/a..b", "its path"},
      {"registry.example/a___b", "its path"},
      {"registry.example/a-", "its path"},
      {"registry.example/" + std::string(256, 'a'), "its path"},
      {"registry.example/a:", "its tag"},
      {"registry.example/a:.b", "its tag"},
      {"registry.example/a:b:c", "its tag"},
      {"registry.example/a:" + std::string(129, 'b'), "its tag"},
      {"registry.example/a@sha256:ab", "its digest"},
      {"registry.example/a@" + kDigest + "@" + kDigest, "its digest"},
      {"registry.example/a@sha256:" + std::string(64, 'A'), "its digest"},
      {"registry.example/a@sha512:" + std::string(64, 'a'), "its digest"}};
  for (const auto& [text, part] : wrong) {
    try {
      (void)ParseReference(text);
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_THAT(error.message(), HasSubstr(part)) << text;
      EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    }
  }
}

TEST(ReferenceTest, NamesAsTheSpecificationHasThem) {
  for (const char* good : {"a", "a/b", "a.b", "a_b", "a__b", "a-b", "a---b", "0", "a1/b2-c"}) {
    EXPECT_TRUE(IsRepositoryName(good)) << good;
  }
  for (const char* bad : {"", "/a", "a/", "a.-b", "a_-b", ".a", "a b", "\xc3\xa4"}) {
    EXPECT_FALSE(IsRepositoryName(bad)) << bad;
  }
}

}  // namespace
}  // namespace imgbuild::specs
