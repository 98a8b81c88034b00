#include "builder/assemble/font_cache.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace imgbuild::builder {
namespace {

constexpr const char* kList =
    "opt/venv/lib/python3.11/site-packages/matplotlib/mpl-data/fontlist-v390.json";
constexpr const char* kLink = "home/user/.cache/matplotlib/fontlist-v390.json";
constexpr const char* kRootsLink = "root/.cache/matplotlib/fontlist-v390.json";

ReadyPackage Package(std::string kind, std::string name, std::vector<std::string> paths) {
  ReadyPackage package;
  package.facts.kind = std::move(kind);
  package.facts.name = std::move(name);
  for (std::string& path : paths) package.facts.files.push_back({.path = std::move(path)});
  return package;
}

class FontCache : public testing::Test {
 protected:
  std::vector<ReadyPackage> packages_ = {Package("wheel", "matplotlib", {kList})};
  layers::ContentTree user_;
};

TEST_F(FontCache, LinksTheListWhereItsUsersKeepIt) {
  const layers::ContentTree files = LinkFontList(packages_, user_, nullptr);
  ASSERT_TRUE(files.contains(kLink));
  EXPECT_EQ(files.at(kLink).node.type, layers::NodeType::kSymlink);
  EXPECT_EQ(files.at(kLink).node.target, std::string("/") + kList);
  EXPECT_EQ(files.at("home/user/.cache").node.uid, 1000u);
  EXPECT_EQ(files.at("home/user/.cache/matplotlib").node.mode, 0775u);
  ASSERT_TRUE(files.contains(kRootsLink));
  EXPECT_EQ(files.at(kRootsLink).node.target, std::string("/") + kList);
  EXPECT_EQ(files.at(kRootsLink).node.uid, 0u);
  EXPECT_EQ(files.at("root/.cache/matplotlib").node.mode, 0755u);
}

TEST_F(FontCache, LeavesHomesAloneThatAreElsewhere) {
  user_["root/.cache"] = layers::MakeSymlink("/data/cache");
  const layers::ContentTree files = LinkFontList(packages_, user_, nullptr);
  EXPECT_TRUE(files.contains(kLink));
  EXPECT_FALSE(files.contains(kRootsLink));
  user_.clear();
  layers::BaseImage base;
  base.files.files.push_back({.path = "root", .node = layers::MakeSymlink("/var/roothome").node});
  EXPECT_FALSE(LinkFontList(packages_, user_, &base).contains(kRootsLink));
  base.files.files.back().node = layers::MakeDirectory(0700, 0, 0).node;
  EXPECT_TRUE(LinkFontList(packages_, user_, &base).contains(kRootsLink));
}

TEST_F(FontCache, LinksNothingWhereFontsWouldBeMissing) {
  EXPECT_TRUE(LinkFontList({Package("wheel", "numpy", {"opt/venv/x"})}, user_, nullptr).empty());
  user_["usr/share/fonts/README"] = layers::MakeFile("no font");
  EXPECT_FALSE(LinkFontList(packages_, user_, nullptr).empty());
  packages_.push_back(Package("deb", "fonts-noto-core", {"usr/share/fonts/truetype/noto/A.ttf"}));
  EXPECT_TRUE(LinkFontList(packages_, user_, nullptr).empty());
  packages_.pop_back();
  user_["usr/local/share/fonts/mine.otf"] = layers::MakeFile("font");
  EXPECT_TRUE(LinkFontList(packages_, user_, nullptr).empty());
  user_.clear();
  layers::BaseImage base;
  EXPECT_FALSE(LinkFontList(packages_, user_, &base).empty());
  base.files.files.push_back({.path = "usr/share/fonts/a.ttf"});
  EXPECT_TRUE(LinkFontList(packages_, user_, &base).empty());
}

}  // namespace
}  // namespace imgbuild::builder
