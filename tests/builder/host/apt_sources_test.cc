#include "builder/host/apt_sources.h"

#include <gtest/gtest.h>

namespace imgbuild::builder {
namespace {

TEST(AptSources, ReadsOneLineEntries) {
  std::vector<AptSource> sources = ParseAptList(
      "# comment\n"
      "deb http://mirror.example/debian/ bookworm main contrib # tail\n"
      "deb-src http://mirror.example/debian bookworm main\n"
      "deb [arch=amd64 signed-by=/k.gpg] http://other.example/x stable main\n"
      "deb broken\n",
      "sources.list");
  ASSERT_EQ(sources.size(), 2u);
  EXPECT_EQ(
      sources[0],
      (AptSource{
          "http://mirror.example/debian", {"bookworm"}, {"main", "contrib"}, "sources.list"}));
  EXPECT_EQ(sources[1].uri, "http://other.example/x");
  EXPECT_EQ(sources[1].signed_by, "/k.gpg");
}

TEST(AptSources, ReadsDeb822Stanzas) {
  std::vector<AptSource> sources = ParseAptDeb822(
      "Types: deb deb-src\nURIs: http://mirror.example/debian\n# note\n"
      "Suites: bookworm\n bookworm-updates\nComponents: main\nSigned-By: /k.gpg\n"
      "\n"
      "Types: deb\nEnabled: no\nURIs: http://off.example/debian\nSuites: bookworm\n"
      "\n"
      "Types: deb-src\nURIs: http://src.example/debian\nSuites: bookworm\n",
      "debian.sources");
  ASSERT_EQ(sources.size(), 1u);
  EXPECT_EQ(sources[0].signed_by, "/k.gpg");
  EXPECT_EQ(sources[0].suites, (std::vector<std::string>{"bookworm", "bookworm-updates"}));
}

}  // namespace
}  // namespace imgbuild::builder
