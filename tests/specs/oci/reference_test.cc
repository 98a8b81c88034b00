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

TEST(ReferenceTest, ImageNamesMayBeOfNoRegistry) {
  const std::pair<std::string, Reference> names[] = {
      {"notebook", {"", "notebook", "", {}}},
      {"team/notebook:1.2", {"", "team/notebook", "1.2", {}}},
      {"localhost:5000", {"", "localhost", "5000", {}}},
      {"localhost/notebook", {"localhost", "notebook", "", {}}},
      {"host:5000/notebook", {"host:5000", "notebook", "", {}}},
      {"[::1]:5000/a:b", {"[::1]:5000", "a", "b", {}}},
      {"a.b/c@" + kDigest, {"a.b", "c", "", Sha256::Parse(kDigest)}}};
  for (const auto& [text, expected] : names) {
    EXPECT_EQ(ParseImageName(text), expected) << text;
    EXPECT_EQ(ParseImageName(text).Render(), text);
  }
  const std::pair<std::string, std::string> wrong[] = {
      {"", "its path"},
      {":tag", "its path"},
      {"/a", "its path"},
      {"Team/Notebook", "its path"},
      {"notebook:", "its tag"},
      {"notebook@", "its digest"},
      {"user:password@registry.example/a", "its digest"},
      {"registry.example:x/a", "names no registry"},
      {"https://registry.example/a", "it has a scheme"}};
  for (const auto& [text, part] : wrong) {
    try {
      (void)ParseImageName(text);
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_THAT(error.message(), HasSubstr(part)) << text;
    }
  }
}

TEST(ReferenceTest, HostsTagsAndRefNames) {
  for (const char* host : {"A.b", "a:1", "localhost", "[::1]", "[::1]:443", "127.0.0.1:65535"}) {
    EXPECT_TRUE(IsRegistryHost(host)) << host;
  }
  for (const char* host : {"", "a", ":1", "a:", "a:b", "a:65536", "[::1]:65536", "[]", "[::1]x",
                           "a_b.example", "::1", "a/b", "a..b"}) {
    EXPECT_FALSE(IsRegistryHost(host)) << host;
  }
  EXPECT_FALSE(IsRegistryHost(std::string(64, 'a') + ".example"));
  for (const char* tag : {"a", "_", "V1.2-x_", "0"}) EXPECT_TRUE(IsTag(tag)) << tag;
  for (const char* tag : {"", ".", "-a", "a/b", "a:b", "a\n", "\xc3\xa4"}) {
    EXPECT_FALSE(IsTag(tag)) << tag;
  }
  EXPECT_TRUE(IsTag(std::string(128, 'a')));
  EXPECT_FALSE(IsTag(std::string(129, 'a')));
  for (const char* name : {"a", "team/name:v1", "a@b", "a--b", "A+b", "v1_2"}) {
    EXPECT_TRUE(IsRefName(name)) << name;
  }
  for (const char* name : {"", "a/", "a::b", "-a", "a-", "a b", "a---b", "a-.b"}) {
    EXPECT_FALSE(IsRefName(name)) << name;
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
