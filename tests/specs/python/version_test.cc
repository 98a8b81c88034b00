#include "specs/python/version.h"

#include <gtest/gtest.h>

#include "specs/python/name.h"

namespace imgbuild::specs {
namespace {

Version Parsed(std::string_view text) {
  auto version = Version::Parse(text);
  EXPECT_TRUE(version) << text;
  return version.value_or(Version());
}

// PEP 440's order from first to last; every pair is compared both ways.
constexpr const char* kSorted[] = {"0.dev0",
                                   "0.dev1",
                                   "0a0",
                                   "0",
                                   "0.0.0.1",
                                   "1.dev0",
                                   "1.0.dev456",
                                   "1.0a1.dev1",
                                   "1.0a1",
                                   "1.0a1.post1.dev2",
                                   "1.0a1.post1",
                                   "1.0a2.dev456",
                                   "1.0a12.dev456",
                                   "1.0a12",
                                   "1.0b1.dev456",
                                   "1.0b2",
                                   "1.0b2.post345.dev456",
                                   "1.0b2.post345",
                                   "1.0rc1.dev456",
                                   "1.0rc1",
                                   "1.0",
                                   "1.0+abc.5",
                                   "1.0+abc.7",
                                   "1.0+abc.7.1",
                                   "1.0+abd",
                                   "1.0+5",
                                   "1.0+5.a",
                                   "1.0+5.0",
                                   "1.0+10",
                                   "1.0.post0.dev1",
                                   "1.0.post0",
                                   "1.0.post0+a",
                                   "1.0.post456.dev34",
                                   "1.0.post456",
                                   "1.0.1.dev0",
                                   "1.0.1",
                                   "1.1.dev1",
                                   "1.1",
                                   "1.2",
                                   "1.10",
                                   "1.222",
                                   "1.223",
                                   "1.255",
                                   "1.256",
                                   "1.65535",
                                   "1.65536",
                                   "1.18446744073709551615",
                                   "1.18446744073709551616",
                                   "1.99999999999999999999",
                                   "1.100000000000000000000",
                                   "2",
                                   "2024.1",
                                   "20240101",
                                   "1!0.dev0",
                                   "1!0",
                                   "1!1.0",
                                   "2!0.1",
                                   "300!0"};

TEST(Version, SortsAsThePepSays) {
  for (std::size_t i = 0; i < std::size(kSorted); ++i) {
    for (std::size_t j = 0; j < std::size(kSorted); ++j) {
      EXPECT_EQ(Parsed(kSorted[i]) <=> Parsed(kSorted[j]), i <=> j)
          << kSorted[i] << " " << kSorted[j];
    }
  }
}

TEST(Version, NormalizesEverySpelling) {
  const std::pair<const char*, const char*> kCases[] = {
      {"1.0", "1.0"},
      {" v1.0\n", "1.0"},
      {"V1.0-ALPHA.01", "1.0a1"},
      {"1.0c", "1.0rc0"},
      {"1.0-preview-3", "1.0rc3"},
      {"1.0pre", "1.0rc0"},
      {"1.0.beta2", "1.0b2"},
      {"1.0-1", "1.0.post1"},
      {"1.0-r4", "1.0.post4"},
      {"1.0rev", "1.0.post0"},
      {"1.0post..DEV3", "1.0.post0.dev3"},
      {"1.0dev", "1.0.dev0"},
      {"0!1", "1"},
      {"01.002.0", "1.2.0"},
      {"1.0+Ubuntu-01_X", "1.0+ubuntu.1.x"},
      {"0.0.0", "0.0.0"},
      {"1!2.0a1.post3.dev4+l.5", "1!2.0a1.post3.dev4+l.5"},
      {"1.0a.", "1.0a0"},
      {"\xC2\xA0"
       "1.0\xE2\x80\x83",
       "1.0"}};
  for (const auto& [text, normal] : kCases) {
    EXPECT_EQ(Parsed(text).Render(), normal);
    EXPECT_EQ(Parsed(normal), Parsed(text));
    EXPECT_EQ(Parsed(normal).Render(), normal);
  }
}

TEST(Version, TakesApartAndTogether) {
  VersionParts parts = Parsed("3!1.20.0rc7.post8.dev9+deb.1").Parts();
  EXPECT_EQ(parts.epoch, "3");
  EXPECT_EQ(parts.release, (std::vector<std::string>{"1", "20", "0"}));
  EXPECT_EQ(parts.pre_letter + parts.pre_number, "rc7");
  EXPECT_EQ(parts.post, "8");
  EXPECT_EQ(parts.dev, "9");
  EXPECT_EQ(parts.local, (std::vector<std::string>{"deb", "1"}));
  for (const char* text : kSorted) {
    EXPECT_EQ(Version::FromParts(Parsed(text).Parts()).Render(), Parsed(text).Render());
  }
}

TEST(Version, IsEqualWhateverTheZeros) {
  EXPECT_EQ(Parsed("1.0"), Parsed("1"));
  EXPECT_EQ(Parsed("1.0.0").Render(), "1.0.0");
  EXPECT_EQ(std::hash<Version>()(Parsed("1.0")), std::hash<Version>()(Parsed("1.0.0")));
  EXPECT_EQ(Parsed("0.0"), Version());
  EXPECT_EQ(Version().Render(), "0");
}

TEST(Version, AnswersWhatResolversAsk) {
  EXPECT_TRUE(Parsed("1.0a1").is_prerelease());
  EXPECT_TRUE(Parsed("1.0.post1.dev1").is_prerelease());
  EXPECT_FALSE(Parsed("1.0.post1+dev").is_prerelease());
  EXPECT_EQ(Parsed("1.0.post1+dev.2").Public().Render(), "1.0.post1");
  EXPECT_EQ(Parsed("1.0a5.dev3+x").Public(), Parsed("1.0a5.dev3"));
  EXPECT_EQ(Parsed("3.11.2").ReleaseNumber(1), 11u);
  EXPECT_EQ(Parsed("3.11.2").ReleaseNumber(3), 0u);
  EXPECT_EQ(Parsed("3.99999999999999999999").ReleaseNumber(1), ~std::uint64_t{0});
}

TEST(Version, RefusesWhatIsNone) {
  for (const char* text :
       {"",       "x",    "1.",           ".1",         "1..2", "1.0+",    "1.0+a+b",
        "1.0+_a", "1.0-", "1.0--1",       "1!",         "!1",   "1.0a1b2", "1.0.dev1.post1",
        "1.0 1",  "1_0",  "1.0+\xC3\xA9", "\xD9\xA1.0", "vv1",  "1.0.*"}) {
    EXPECT_FALSE(Version::Parse(text)) << text;
  }
  EXPECT_TRUE(Version::Parse(std::string(4300, '9')));
  EXPECT_FALSE(Version::Parse(std::string(4301, '9')));
}

TEST(Name, NormalizesAndChecks) {
  EXPECT_EQ(NormalizeName("Zope__.-Interface"), "zope-interface");
  EXPECT_EQ(NormalizeName("-a-"), "-a-");
  for (const char* name : {"a", "A1", "a-b_c.d"}) EXPECT_TRUE(IsValidName(name)) << name;
  for (const char* name : {"", "-a", "a-", "a b", "\xC3\xA9"})
    EXPECT_FALSE(IsValidName(name)) << name;
}

}  // namespace
}  // namespace imgbuild::specs
