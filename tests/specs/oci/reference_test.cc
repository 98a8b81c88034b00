#include "specs/oci/reference.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "specs/base/error.h"

namespace imgbuild::specs {
namespace {

using testing::HasSubstr;

std::string Complaint(const std::string& text) {
  try {
    (void)ParseReference(text);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    return error.what();
  }
  return "";
}

TEST(Reference, HasFourParts) {
  const Sha256 digest = HashOf("x");
  const Reference all = ParseReference("registry.example:5000/team/name:v1.2@" + digest.Oci());
  EXPECT_EQ(all, (Reference{"registry.example:5000", "team/name", "v1.2", digest}));
  EXPECT_EQ(ParseReference("name"), (Reference{"", "name", "", {}}));
  EXPECT_EQ(ParseReference("team/name:latest"), (Reference{"", "team/name", "latest", {}}));
  EXPECT_EQ(ParseReference("localhost/name"), (Reference{"localhost", "name", "", {}}));
  EXPECT_EQ(ParseReference("localhost:5000"), (Reference{"", "localhost", "5000", {}}));
  EXPECT_EQ(ParseReference("host:5000/name"), (Reference{"host:5000", "name", "", {}}));
  EXPECT_EQ(ParseReference("[::1]:5000/name:a"), (Reference{"[::1]:5000", "name", "a", {}}));
  EXPECT_EQ(ParseReference("127.0.0.1/a/b"), (Reference{"127.0.0.1", "a/b", "", {}}));
  EXPECT_EQ(ParseReference("a.b/name@" + digest.Oci()), (Reference{"a.b", "name", "", digest}));
}

TEST(Reference, RendersWhatItWasParsedFrom) {
  for (const std::string& text :
       {std::string("name"), std::string("a/b:c"), std::string("r.example/a/b:c"),
        "r.example:1/a@" + HashOf("x").Oci(), "[fe80::1]/a__b/c-d.e:F_1@" + HashOf("y").Oci()}) {
    EXPECT_EQ(ParseReference(text).Render(), text);
  }
}

TEST(Reference, ErrorsTellTheWrongPart) {
  const std::pair<std::string, std::string> cases[] = {
      {"", "the name is missing"},
      {":tag", "the name is missing"},
      {"registry.example/", "the name is missing"},
      {"registry.example:5000/:tag", "the name is missing"},
      {"Team/Name", "write \"team/name\""},
      {"a//b", "the name \"a//b\""},
      {"/a", "the name \"/a\""},
      {"a b", "the name \"a b\""},
      {"a-", "the name \"a-\""},
      {"a___b", "the name \"a___b\""},
      {"a/" + std::string(255, 'b'), "more than 255"},
      {"name:", "\"\" is no tag"},
      {"name:-x", "\"-x\" is no tag"},
      {"name:a b", "\"a b\" is no tag"},
      {"name:" + std::string(129, 'a'), "is no tag"},
      {"name@", "after \"@\""},
      {"name@sha256:00", "after \"@\""},
      {"name@sha256:" + std::string(64, 'A'), "lower-case"},
      {"name@sha512:" + std::string(128, 'a'), "sha256"},
      {"name@a@" + HashOf("x").Oci(), "after \"@\""},
      {"registry.example:0/a", "\"registry.example:0\" is no host"},
      {"registry.example:99999/a", "is no host"},
      {"registry.example:/a", "is no host"},
      {"-x.example/a", "is no host"},
      {"a..b/c", "is no host"},
      {"[::1/a", "is no host"},
      {"user:pw@registry.example/a", "after \"@\""},
      {"https://registry.example/a", "write \"registry.example/a\""},
  };
  for (const auto& [text, part] : cases) EXPECT_THAT(Complaint(text), HasSubstr(part)) << text;
}

TEST(Reference, NamesAndTags) {
  for (const char* name : {"a", "0", "a/b", "a.b-c__d_e---f/0"})
    EXPECT_TRUE(IsRepositoryName(name));
  for (const char* name : {"", "A", "a/", "a..b", "a._b", ".a", "a_", "ä", "a:b"}) {
    EXPECT_FALSE(IsRepositoryName(name)) << name;
  }
  for (const char* tag : {"a", "_", "V1.2-x_", "0"}) EXPECT_TRUE(IsTagName(tag)) << tag;
  for (const char* tag : {"", ".", "-a", "a/b", "a:b", "ä", "a\n"})
    EXPECT_FALSE(IsTagName(tag)) << tag;
  EXPECT_TRUE(IsTagName(std::string(128, 'a')));
  for (const char* name : {"a", "team/name:v1", "a@b", "a--b", "A+b"})
    EXPECT_TRUE(IsRefName(name)) << name;
  for (const char* name : {"", "a/", "a::b", "-a", "a b", "a---b"})
    EXPECT_FALSE(IsRefName(name)) << name;
  for (const char* host : {"a", "A.b", "a:1", "[::1]", "[::1]:443", "127.0.0.1:65535"}) {
    EXPECT_TRUE(IsRegistryHost(host)) << host;
  }
  for (const char* host : {"", ":1", "a:", "a:b", "a:65536", "[]", "[::1]x", "a_b", "::1", "a/b"}) {
    EXPECT_FALSE(IsRegistryHost(host)) << host;
  }
}

}  // namespace
}  // namespace imgbuild::specs
