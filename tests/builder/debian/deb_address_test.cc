#include "builder/debian/deb_address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace imgbuild::builder {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class DebAddress : public ::testing::Test {
 protected:
  DebAddress() {
    package_.name = "libstdc++6";
    package_.version = "12.2.0-14";
    package_.file = "libstdc++6_12.2.0-14_amd64.deb";
    package_.source = "bookworm/main";
    package_.path = "pool/main/g/gcc-12/libstdc++6_12.2.0-14_amd64.deb";
  }

  specs::LockedPackage package_;
  const std::vector<specs::LockedSuite> suites_ = {
      {"bookworm", "2026-07-11T10:16:37Z", {}}, {"bookworm-security", "2026-11-21T00:53:02Z", {}}};
  const DebianMirrors mirrors_ = {{"https://u:p@mirror.example/debian", "IMGBUILD_DEBIAN_MIRROR"},
                                  {"https://mirror.example/debian-security", "the default"}};
  const std::string snapshot_ = "https://snapshot.example/archive/{archive}/{timestamp}/";
};

TEST_F(DebAddress, MirrorThenSnapshot) {
  EXPECT_THAT(
      DebAddresses(package_, suites_, mirrors_, snapshot_),
      ElementsAre(
          DownloadAddress{"https://u:p@mirror.example/debian/pool/main/g/gcc-12/"
                          "libstdc%2B%2B6_12.2.0-14_amd64.deb",
                          "IMGBUILD_DEBIAN_MIRROR"},
          DownloadAddress{"https://snapshot.example/archive/debian/20260711T101637Z/pool/main/g/"
                          "gcc-12/libstdc%2B%2B6_12.2.0-14_amd64.deb",
                          "snapshot"}));
  EXPECT_EQ(DebAddresses(package_, suites_, mirrors_, std::nullopt).size(), 1u);
}

TEST_F(DebAddress, SecurityHasItsOwnMirrorAndArchive) {
  package_.source = "bookworm-security/main";
  std::vector<DownloadAddress> addresses = DebAddresses(package_, suites_, mirrors_, snapshot_);
  ASSERT_EQ(addresses.size(), 2u);
  EXPECT_THAT(addresses[0].url, HasSubstr("mirror.example/debian-security/pool/"));
  EXPECT_THAT(addresses[1].url, HasSubstr("/debian-security/20261121T005302Z/pool/"));
}

TEST_F(DebAddress, RefusesPathsAndTemplatesThatLeadNowhere) {
  for (const char* path : {"", "/pool/x.deb", "pool/../x.deb", "pool//x.deb", "pool/x y.deb"}) {
    package_.path = path;
    EXPECT_THROW(DebAddresses(package_, suites_, mirrors_, std::nullopt), specs::Error) << path;
  }
  package_.path = "pool/x.deb";
  EXPECT_THROW(DebAddresses(package_, suites_, mirrors_, "https://snapshot.example/"),
               specs::Error);
}

TEST_F(DebAddress, SupersededSaysWhatToRun) {
  specs::Error error = SupersededDeb(package_, DebAddresses(package_, suites_, mirrors_, snapshot_),
                                     snapshot_, "envs/nb.toml");
  EXPECT_THAT(
      error.what(),
      AllOf(HasSubstr("libstdc++6 12.2.0-14"), HasSubstr("IMGBUILD_DEBIAN_MIRROR"),
            HasSubstr("snapshot.example"),
            HasSubstr("imgbuild lock --upgrade libstdc++6 envs/nb.toml"), Not(HasSubstr("u:p"))));
}

}  // namespace
}  // namespace imgbuild::builder
