#include "builder/rootless/id_maps.h"

#include <gtest/gtest.h>

namespace imgbuild::builder {
namespace {

constexpr UserIds kCaller{.uid = 1234, .gid = 1235};
constexpr UserIds kImage{.uid = 1000, .gid = 0};

TEST(IdMaps, OfOneUser) {
  const IdMaps maps = SingleMaps(kCaller, kImage);
  EXPECT_TRUE(maps.IsSingle());
  EXPECT_EQ(maps.uids, (std::vector<IdRange>{{1000, 1234, 1}}));
  EXPECT_EQ(maps.gids, (std::vector<IdRange>{{0, 1235, 1}}));
  EXPECT_EQ(maps.Render(), "u 1000:1234:1 g 0:1235:1");
}

TEST(IdMaps, PutTheCallerAmongSubordinateIds) {
  const auto maps =
      SubordinateMaps(kCaller, "ann", kImage, "bob:1:5\nann:100000:65536\n", "1234:200000:65536\n");
  ASSERT_TRUE(maps);
  EXPECT_FALSE(maps->IsSingle());
  EXPECT_EQ(maps->writer, MapWriter::kHelpers);
  EXPECT_EQ(maps->uids,
            (std::vector<IdRange>{{0, 100000, 1000}, {1000, 1234, 1}, {1001, 101000, 64535}}));
  EXPECT_EQ(maps->gids, (std::vector<IdRange>{{0, 1235, 1}, {1, 200000, 65535}}));
}

TEST(IdMaps, ReachAsFarAsShortRanges) {
  const auto maps = SubordinateMaps(kCaller, "ann", kImage, "ann:100000:10", "ann:200000:1");
  ASSERT_TRUE(maps);
  EXPECT_EQ(maps->uids, (std::vector<IdRange>{{0, 100000, 10}, {1000, 1234, 1}}));
  EXPECT_EQ(maps->gids, (std::vector<IdRange>{{0, 1235, 1}, {1, 200000, 1}}));
  const auto far = SubordinateMaps(kCaller, "ann", {.uid = 4'000'000'000, .gid = 65535},
                                   "ann:100000:70000", "ann:200000:70000");
  ASSERT_TRUE(far);
  EXPECT_EQ(far->uids, (std::vector<IdRange>{{0, 100000, 65536}, {4'000'000'000, 1234, 1}}));
  EXPECT_EQ(far->gids, (std::vector<IdRange>{{0, 200000, 65535}, {65535, 1235, 1}}));
}

TEST(IdMaps, NeedBothFilesOfSubordinateIds) {
  EXPECT_FALSE(SubordinateMaps(kCaller, "ann", kImage, "", "ann:200000:65536"));
  EXPECT_FALSE(SubordinateMaps(kCaller, "ann", kImage, "ann:100000:65536", "bob:1:2"));
  for (const char* bad : {"ann:0:65536", "ann:100000:0", "ann:100000", "ann:x:5", "ann:1:2:3",
                          "ann:4294967290:100", "ann:99999999999:1"}) {
    EXPECT_FALSE(SubordinateMaps(kCaller, "ann", kImage, bad, "ann:200000:65536")) << bad;
  }
}

TEST(IdMaps, LeaveRootTheIdsThatThereAre) {
  const auto maps = SameMaps("         0          0 4294967295\n", "0 1000 1\n1 100000 65536\n");
  ASSERT_TRUE(maps);
  EXPECT_EQ(maps->uids, (std::vector<IdRange>{{0, 0, 4294967295}}));
  EXPECT_EQ(maps->gids, (std::vector<IdRange>{{0, 0, 1}, {1, 1, 65536}}));
  EXPECT_FALSE(SameMaps("", "0 0 1"));
}

}  // namespace
}  // namespace imgbuild::builder
