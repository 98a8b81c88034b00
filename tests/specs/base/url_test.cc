#include "specs/base/url.h"

#include <gtest/gtest.h>

namespace imgbuild::specs {
namespace {

TEST(Url, ResolvesReferencesAsRfc3986Does) {
  const std::string base = "https://index.example/simple/numpy/";
  EXPECT_EQ(ResolveUrl(base, "https://files.example/a.whl#sha256=ab"),
            "https://files.example/a.whl");
  EXPECT_EQ(ResolveUrl(base, "a.whl"), "https://index.example/simple/numpy/a.whl");
  EXPECT_EQ(ResolveUrl(base, "../../files/a.whl"), "https://index.example/files/a.whl");
  EXPECT_EQ(ResolveUrl(base, "/files/./a.whl?x=1"), "https://index.example/files/a.whl?x=1");
  EXPECT_EQ(ResolveUrl(base, "//files.example/a.whl"), "https://files.example/a.whl");
  EXPECT_EQ(ResolveUrl(base, "../../../../../a.whl"), "https://index.example/a.whl");
  EXPECT_EQ(ResolveUrl(base, ""), base);
  EXPECT_EQ(ResolveUrl("https://index.example", "a"), "https://index.example/a");
  // RFC 3986, 5.2.4: empty segments are segments.
  EXPECT_EQ(ResolveUrl(base, "/store//docker/../x"), "https://index.example/store//x");
  EXPECT_EQ(ResolveUrl(base, "/a/b/.."), "https://index.example/a/");
  EXPECT_EQ(ResolveUrl(base, "/a/./"), "https://index.example/a/");
}

TEST(Url, NamesTheFile) {
  EXPECT_EQ(UrlFileName("https://x.example/a/b-1.0%2Bcpu.whl#sha256=1"), "b-1.0+cpu.whl");
  EXPECT_EQ(UrlFileName("https://x.example/a/"), "");
  EXPECT_EQ(UrlFileName("https://x.example/a.whl?token=/x"), "a.whl");
  EXPECT_EQ(UrlFragment("a#b"), "b");
  EXPECT_EQ(UrlFragment("a"), "");
}

TEST(Url, CredentialsStayWithTheirOrigin) {
  EXPECT_TRUE(SameOrigin("https://Index.example/simple/", "https://index.example:443/files/a"));
  EXPECT_TRUE(SameOrigin("https://me:pw@index.example/", "https://index.example/"));
  EXPECT_FALSE(SameOrigin("https://index.example/", "http://index.example/"));
  EXPECT_FALSE(SameOrigin("https://index.example/", "https://index.example:8443/"));
  EXPECT_FALSE(SameOrigin("https://index.example/", "https://index.example.evil.example/"));
  EXPECT_FALSE(SameOrigin("https://index.example/", "https://index.example@evil.example/"));
}

TEST(Url, PercentCodingRoundTrips) {
  EXPECT_EQ(PercentEncode("a b/ü"), "a%20b%2F%C3%BC");
  EXPECT_EQ(PercentDecode(PercentEncode("a b/ü%")), "a b/ü%");
  EXPECT_EQ(PercentDecode("100%"), "100%");
  EXPECT_EQ(PercentDecode("%zz"), "%zz");
}

}  // namespace
}  // namespace imgbuild::specs
