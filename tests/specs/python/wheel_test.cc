#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "specs/python/metadata.h"
#include "specs/python/record.h"
#include "specs/python/tags.h"

namespace imgbuild::specs {
namespace {

using testing::ElementsAre;

WheelName W(std::string_view name) { return std::get<WheelName>(WheelName::Parse(name)); }

TEST(WheelName, IsTakenApart) {
  WheelName w = W("Foo_Bar-1.0+x-12b-py2.PY3-none-manylinux_2_17_x86_64.any.whl");
  EXPECT_EQ(w.name, "foo-bar");
  EXPECT_EQ(w.version.Render(), "1.0+x");
  EXPECT_EQ(w.build, (WheelName::Build{12, "b"}));
  EXPECT_THAT(w.pythons, ElementsAre("py2", "py3"));
  EXPECT_THAT(w.platforms, ElementsAre("manylinux_2_17_x86_64", "any"));
  EXPECT_LT(W("a-1-py3-none-any.whl").build, W("a-1-0-py3-none-any.whl").build);
}

TEST(WheelName, RefusesWhatIsNone) {
  for (const char* name : {"a-1-py3-none-any.zip", "a-1-py3-none.whl", "a-1-1-x-py3-none-any.whl",
                           "a-x-py3-none-any.whl", "a__b-1-py3-none-any.whl", "-1-py3-none-any.whl",
                           "a-1-b1-py3-none-any.whl", "a-1-py3..py2-none-any.whl",
                           "a-1-3py-none-any.whl", "a-1-py3--any.whl", ".whl", ""}) {
    EXPECT_TRUE(std::holds_alternative<SyntaxError>(WheelName::Parse(name))) << name;
  }
}

TEST(SdistVersion, FindsWhereTheNameEnds) {
  EXPECT_EQ(SdistVersion("a-b-1.0.tar.gz", "A_b")->Render(), "1.0");
  EXPECT_EQ(SdistVersion("a-1.0-1.zip", "a")->Render(), "1.0.post1");
  EXPECT_FALSE(SdistVersion("b-1.0.tar.gz", "a"));
  EXPECT_FALSE(SdistVersion("a-1.0.tar.bz2", "a"));
}

TEST(TagList, PrefersTheMostSpecific) {
  TagList tags = TagList::ForCpython(11, Platform{Architecture::kAmd64}, {2, 36});
  EXPECT_EQ(tags.tags().front(), "cp311-cp311-manylinux_2_36_x86_64");
  EXPECT_EQ(tags.tags().back(), "py30-none-any");
  EXPECT_EQ(tags.tags().size(), 914u);
  const char* kBestFirst[] = {"a-1-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
                              "a-1-cp311-cp311-manylinux1_x86_64.whl",
                              "a-1-cp311-cp311-linux_x86_64.whl",
                              "a-1-cp311-abi3-manylinux_2_5_x86_64.whl",
                              "a-1-cp38-abi3-manylinux2014_x86_64.whl",
                              "a-1-py311-none-manylinux2014_x86_64.whl",
                              "a-1-py3-none-manylinux2014_x86_64.whl",
                              "a-1-cp311-none-any.whl",
                              "a-1-py2.py3-none-any.whl",
                              "a-1-py37-none-any.whl"};
  for (std::size_t i = 1; i < std::size(kBestFirst); ++i) {
    EXPECT_LT(tags.Rank(W(kBestFirst[i - 1])), tags.Rank(W(kBestFirst[i]))) << kBestFirst[i];
  }
}

TEST(TagList, SaysWhyAWheelDoesNotFit) {
  TagList tags = TagList::ForCpython(11, Platform{Architecture::kArm64}, {2, 36});
  const std::pair<const char*, const char*> kCases[] = {
      {"a-1-cp311-cp311-win_amd64.whl", "needs platform win_amd64"},
      {"a-1-cp311-cp311-manylinux_2_39_aarch64.whl", "needs platform manylinux_2_39_aarch64"},
      {"a-1-cp311-cp311-musllinux_1_2_aarch64.whl", "needs platform musllinux_1_2_aarch64"},
      {"a-1-cp312-cp312-manylinux_2_17_aarch64.whl", "needs Python cp312"},
      {"a-1-cp311-cp311d-manylinux_2_17_aarch64.whl", "needs ABI cp311d"},
      {"a-1-cp310-cp311-linux_aarch64.whl", "needs Python cp310 with ABI cp311"},
      {"a-1-py2-none-any.whl", "needs Python py2"}};
  for (const auto& [name, reason] : kCases) {
    EXPECT_FALSE(tags.Rank(W(name))) << name;
    EXPECT_EQ(tags.Explain(W(name)), reason);
  }
}

TEST(CoreMetadata, ReadsWhatResolvingNeeds) {
  auto parsed = ParseCoreMetadata(
      "\xEF\xBB\xBFMetadata-Version: 2.4\r\nname: Foo.Bar\r\nVersion: v1.0\r\n"
      "not a field\r\nSummary: one\r\n  two\r\nLicense: MIT\r\n        long text\r\n"
      "Requires-Dist: a (>=1,<2) ; extra == 'x'\r\nRequires-Dist: b>=1.*\r\nRequires-Dist: ???\r\n"
      "Requires-Python: >=3.6.*\r\nProvides-Extra: X_y\r\nProvides-Extra: x-y\r\nDynamic: "
      "Version\r\n"
      "\r\nRequires-Dist: in-the-description\r\n");
  auto& metadata = std::get<CoreMetadata>(parsed);
  EXPECT_EQ(metadata.name, "Foo.Bar");
  EXPECT_EQ(metadata.version.Render(), "1.0");
  EXPECT_EQ(metadata.version_text, "v1.0");
  EXPECT_EQ(metadata.summary, "one two");
  EXPECT_EQ(metadata.license, "MIT");
  ASSERT_EQ(metadata.requires_dist.size(), 2u);
  EXPECT_EQ(metadata.requires_dist[1].Render(), "b>=1");
  EXPECT_THAT(metadata.invalid_requires, ElementsAre("???"));
  EXPECT_EQ(metadata.requires_python->Render(), ">=3.6");
  EXPECT_THAT(metadata.provides_extra, ElementsAre("x-y"));
  EXPECT_TRUE(metadata.DependenciesAreStatic());
}

TEST(CoreMetadata, KnowsWhichSdistsCanBeTrusted) {
  auto parse = [](std::string text) {
    return std::get<CoreMetadata>(ParseCoreMetadata("Name: a\nVersion: 1\n" + text));
  };
  EXPECT_FALSE(parse("Metadata-Version: 2.1\n").DependenciesAreStatic());
  EXPECT_TRUE(parse("Metadata-Version: 2.2\n").DependenciesAreStatic());
  EXPECT_FALSE(parse("Metadata-Version: 2.2\nDynamic: Requires-Dist\n").DependenciesAreStatic());
}

TEST(CoreMetadata, RefusesWithoutNameOrVersion) {
  for (const char* text :
       {"", "Name: a\n", "Version: 1\n", "Name: a b\nVersion: 1\n", "Name: a\nVersion: x\n",
        "Metadata-Version: 3.0\nName: a\nVersion: 1\n",
        "Name: a\nVersion: 1\nRequires-Python: soon\n", "\n\nName: a\nVersion: 1"}) {
    EXPECT_TRUE(std::holds_alternative<SyntaxError>(ParseCoreMetadata(text))) << text;
  }
}

TEST(Record, ReadsAndWritesCsv) {
  const Sha256 digest = HashOf("abc");
  std::vector<RecordEntry> entries = {{"a/b.py", RecordHash(digest), 3},
                                      {"with, comma \"and\" quote", "", std::nullopt},
                                      {"a.dist-info/RECORD", "", std::nullopt}};
  std::string text = RenderRecord(entries);
  EXPECT_EQ(text,
            "a/b.py,sha256=ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0,3\n"
            "\"with, comma \"\"and\"\" quote\",,\na.dist-info/RECORD,,\n");
  EXPECT_EQ(std::get<0>(ParseRecord(text)), entries);
  EXPECT_EQ(std::get<0>(ParseRecord("a,,\r\n\r\nb\r\n")),
            (std::vector<RecordEntry>{{"a", "", std::nullopt}, {"b", "", std::nullopt}}));
}

TEST(Record, RefusesMalformedRows) {
  for (const char* text : {"a,b,c,d\n", "\"a,,\n", "a,,x\n", "a,,-1\n", ",,\n", "\"a\"b,,\n"}) {
    EXPECT_TRUE(std::holds_alternative<SyntaxError>(ParseRecord(text))) << text;
  }
}

TEST(Record, HashesRoundTrip) {
  Sha256 digest = HashOf("abc");
  EXPECT_EQ(ParseRecordHash(RecordHash(digest)), digest);
  EXPECT_EQ(ParseRecordHash(RecordHash(digest) + "="), digest);
  std::string good = RecordHash(digest);
  EXPECT_FALSE(ParseRecordHash("md5=" + good.substr(7)));
  EXPECT_FALSE(ParseRecordHash(good.substr(0, good.size() - 1)));
  EXPECT_FALSE(ParseRecordHash(good.substr(0, good.size() - 1) + "1"));
  EXPECT_FALSE(ParseRecordHash(good.substr(0, good.size() - 1) + "!"));
}

}  // namespace
}  // namespace imgbuild::specs
