#include "layers/image/image_accounts.h"

#include <filesystem>

#include "specs/base/error.h"
#include "tests/layers/image/image_fixture.h"
#include "tests/layers/image/tar_maker.h"

namespace imgbuild::layers {
namespace {

class ImageAccountsTest : public ImageTest {
 protected:
  PlatformImage Of(const std::vector<TarMaker>& bottom_first) {
    std::vector<ImageLayer> layers;
    for (const TarMaker& tar : bottom_first) layers.push_back(PutLayer(tar.Bytes()));
    return PublishPlatform(store_, {.created = "1980-01-01T00:00:00Z"}, layers, {});
  }
};

TEST_F(ImageAccountsTest, AreThoseOfTheHighestLayerThatHasThem) {
  const PlatformImage image = Of({
      TarMaker().File("etc/passwd", "old").File("etc/group", "lowest"),
      TarMaker().File("etc/group", "groups"),
      TarMaker().File("etc/passwd", "users"),
      TarMaker().File("usr/bin/tool", "program"),
  });
  EXPECT_EQ(ReadAccounts(store_, image), (ImageAccounts{.passwd = "users", .group = "groups"}));
}

TEST_F(ImageAccountsTest, AreNoneWhereTheyWereTakenAway) {
  const PlatformImage image = Of({
      TarMaker().File("etc/passwd", "users").File("etc/group", "groups"),
      TarMaker().File("etc/.wh.group", ""),
  });
  EXPECT_EQ(ReadAccounts(store_, image), (ImageAccounts{.passwd = "users", .group = ""}));
}

// A base image's layers need not be here: nobody needs them as long as others have the accounts.
TEST_F(ImageAccountsTest, NeedOnlyTheLayersThatHaveThem) {
  const PlatformImage image = Of({
      TarMaker().File("usr/lib/base", "large"),
      TarMaker().File("etc/passwd", "users").File("etc/group", "groups"),
      TarMaker().File("usr/bin/tool", "program"),
  });
  const auto drop = [&](std::size_t layer) {
    std::filesystem::remove(store_.paths().Blob(image.manifest.layers[layer].digest));
  };
  drop(0);
  EXPECT_EQ(ReadAccounts(store_, image).passwd, "users");
  drop(1);
  EXPECT_THROW((void)ReadAccounts(store_, image), specs::Error);
}

}  // namespace
}  // namespace imgbuild::layers
