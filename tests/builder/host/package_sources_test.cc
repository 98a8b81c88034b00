#include "builder/host/package_sources.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "specs/base/error.h"

namespace imgbuild::builder {
namespace {

using testing::HasSubstr;
using testing::Not;

HostSources Host() {
  return {.apt = {{"http://apt.example/debian",
                   {"bookworm", "bookworm-updates"},
                   {"main"},
                   "debian.sources"},
                  {"http://apt.example/sec", {"bookworm-security"}, {"main"}, "debian.sources"}},
          .pip = {.index_url = "https://pip.example/simple", .index_file = "pip.conf"},
          .default_debian_mirror = "http://default.example/debian",
          .default_debian_security_mirror = "http://default.example/sec",
          .default_python_index = "https://default.example/simple"};
}

TEST(DebianMirrors, TheFirstSettingThatNamesOneWins) {
  Environment env = Environment::Of({{"IMGBUILD_DEBIAN_MIRROR", "http://env.example/debian/"}});
  SourceConfig config{.file = "config.toml", .debian_mirror = "http://config.example/debian"};
  EXPECT_EQ(FindDebianMirrors(env, "http://spec.example/debian", config, Host()).archive,
            (SourceSetting{"http://env.example/debian", "IMGBUILD_DEBIAN_MIRROR"}));
  EXPECT_EQ(FindDebianMirrors({}, "http://spec.example/debian", config, Host()).archive.url,
            "http://spec.example/debian");
  EXPECT_EQ(FindDebianMirrors({}, {}, config, Host()).archive.url, "http://config.example/debian");
  EXPECT_EQ(FindDebianMirrors({}, {}, {}, Host()).archive.url, "http://apt.example/debian");
  HostSources bare = Host();
  bare.apt.clear();
  EXPECT_EQ(FindDebianMirrors({}, {}, {}, bare).archive.url, "http://default.example/debian");
  bare.default_debian_mirror.clear();
  EXPECT_THROW(FindDebianMirrors({}, {}, {}, bare), specs::Error);
}

// Vendors call their suites "stable" or by Debian's code names, too.
TEST(DebianMirrors, ARepositoryOfSomebodyElseIsNone) {
  HostSources host = Host();
  host.apt.insert(host.apt.begin(),
                  {{"https://browser.example/deb", {"stable"}, {"main"}, "browser.list"},
                   {"https://container.example/debian", {"bookworm"}, {"stable"}, "c.list"},
                   {"https://tools.example/apt", {"bookworm-security"}, {"tools"}, "t.list"}});
  EXPECT_EQ(FindDebianMirrors({}, {}, {}, host).archive.url, "http://apt.example/debian");
  EXPECT_EQ(FindDebianMirrors({}, {}, {}, host).security.url, "http://apt.example/sec");
  host.apt.resize(3);
  EXPECT_EQ(FindDebianMirrors({}, {}, {}, host).archive.url, "http://default.example/debian");
}

TEST(DebianMirrors, AMirrorIsKnownByItsUpdatesOrItsKeys) {
  HostSources host = Host();
  host.apt = {{"http://one.example/debian", {"bookworm"}, {"main"}, "sources.list"},
              {"http://two.example/debian", {"bookworm"}, {"main"}, "sources.list"},
              {"http://two.example/debian", {"bookworm-updates"}, {"main"}, "sources.list"}};
  EXPECT_EQ(FindDebianMirrors({}, {}, {}, host).archive.url, "http://two.example/debian");
  host.apt[0].signed_by = "/usr/share/keyrings/debian-archive-keyring.gpg";
  EXPECT_EQ(FindDebianMirrors({}, {}, {}, host).archive.url, "http://one.example/debian");
}

TEST(DebianMirrors, SecurityStaysWithTheArchiveItBelongsTo) {
  EXPECT_EQ(FindDebianMirrors({}, "http://spec.example/debian", {}, Host()).security.url,
            "http://spec.example/debian-security");
  EXPECT_EQ(FindDebianMirrors({}, {}, {}, Host()).security.url, "http://apt.example/sec");
  Environment env = Environment::Of({{"IMGBUILD_DEBIAN_SECURITY_MIRROR", "http://env.example/s"}});
  EXPECT_EQ(FindDebianMirrors(env, {}, {}, Host()).security.url, "http://env.example/s");
}

TEST(DebianMirrors, AnArchiveAtTheTopOfItsHostDoesNotTellItsSecurityMirror) {
  EXPECT_THROW(FindDebianMirrors({}, "http://spec.example", {}, Host()), specs::Error);
  Environment env = Environment::Of({{"IMGBUILD_DEBIAN_SECURITY_MIRROR", "http://env.example/s"}});
  EXPECT_EQ(FindDebianMirrors(env, "http://spec.example", {}, Host()).archive.url,
            "http://spec.example");
}

TEST(PythonIndex, FollowsTheSameOrder) {
  EXPECT_EQ(FindPythonIndex(Environment::Of({{"PIP_INDEX_URL", "https://env.example/simple/"}}), {},
                            Host())
                .url,
            "https://env.example/simple");
  EXPECT_EQ(
      FindPythonIndex({}, {.file = "c", .python_index = "https://config.example"}, Host()).url,
      "https://config.example");
  EXPECT_EQ(FindPythonIndex({}, {}, Host()).origin, "this machine's pip, pip.conf");
}

TEST(NamedIndex, TakesUrlAndCredentialsFromTheEnvironment) {
  Environment env = Environment::Of({{"IMGBUILD_INDEX_MY_CORP_URL", "https://corp.example/simple"},
                                     {"IMGBUILD_INDEX_MY_CORP_USERNAME", "me"},
                                     {"IMGBUILD_INDEX_MY_CORP_PASSWORD", "a@b/c"}});
  EXPECT_EQ(FindNamedIndex(env, "my-corp", "https://old@spec.example/simple", {}).setting.url,
            "https://me:a%40b%2Fc@corp.example/simple");
  EXPECT_EQ(
      FindNamedIndex({}, "x", {}, {.indexes = {{"x", "https://config.example/"}}}).setting.url,
      "https://config.example");
  EXPECT_THROW(FindNamedIndex({}, "x", {}, {}), specs::Error);
}

TEST(ExtraIndexes, AreNamedNotUsed) {
  HostSources host = Host();
  EXPECT_EQ(WarnOfExtraIndexes({}, host), "");
  host.pip.extra_index_urls = {"https://me:secret@extra.example/simple"};
  host.pip.extra_file = "pip.conf";
  std::string warning = WarnOfExtraIndexes({}, host);
  EXPECT_THAT(warning, HasSubstr("[[python.indexes]]"));
  EXPECT_THAT(warning, HasSubstr("https://extra.example/simple"));
  EXPECT_THAT(warning, Not(HasSubstr("secret")));
}

}  // namespace
}  // namespace imgbuild::builder
