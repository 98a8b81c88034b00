// With a loopback index; the process's environment names it, as a user's would.
#include "builder/cli/locator.h"

#include <cstdlib>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "specs/base/error.h"
#include "tests/support/mini_index.h"
#include "tests/support/temp_folder.h"

namespace imgbuild::builder {
namespace {

using specs::Error;
using specs::kArtifactSource;
using specs::LockedPackage;
using testing::HasSubstr;

class LocatorTest : public testing::Test {
 protected:
  LocatorTest() : server_([this](const support::ServedRequest& r) { return index_.Answer(r); }) {
    Set("XDG_CONFIG_HOME", folder_.path() / "config");
    Set("HOME", folder_.path());
    Set("PIP_INDEX_URL", server_.url() + "/simple");
    Set("IMGBUILD_DEBIAN_MIRROR", "http://user:hunter2@mirror.example/debian");
    Set("IMGBUILD_DEBIAN_SECURITY_MIRROR", "http://security.mirror.example/debian-security");
    Set("NO_PROXY", "127.0.0.1");
    lock_.suites = {{"bookworm", "2026-11-01T10:00:00Z", {}}};
  }
  ~LocatorTest() override {
    for (const auto& [name, value] : before_) {
      value ? setenv(name.c_str(), value->c_str(), 1) : unsetenv(name.c_str());
    }
  }

  void Set(const std::string& name, const std::string& value) {
    const char* old = std::getenv(name.c_str());
    before_.emplace(name, old != nullptr ? std::optional<std::string>(old) : std::nullopt);
    setenv(name.c_str(), value.c_str(), 1);
  }

  std::unique_ptr<Session> MakeSession(unsigned jobs = 1, const std::string& cache = "cache") {
    return std::make_unique<Session>(GlobalOptions{.cache_dir = folder_.path() / cache,
                                                   .verbosity = Verbosity::kQuiet,
                                                   .style = ReportStyle::kPlain,
                                                   .jobs = jobs});
  }

  LockedPackage Wheel(const std::string& name, const std::string& version) {
    LockedPackage package;
    package.kind = specs::PackageKind::kWheel;
    package.name = name;
    package.version = version;
    package.file = name + "-" + version + "-py3-none-any.whl";
    package.source = "default";
    return package;
  }
  LockedPackage Deb() {
    LockedPackage package;
    package.name = "libc6";
    package.version = "2.36-9";
    package.architecture = "amd64";
    package.file = "libc6_2.36-9_amd64.deb";
    package.source = "bookworm/main";
    package.path = "pool/main/g/glibc/libc6_2.36-9_amd64.deb";
    return package;
  }

  support::TempFolder folder_;
  support::MiniIndex index_;
  std::map<std::string, std::optional<std::string>> before_;
  support::LoopbackServer server_;
  specs::Spec spec_;
  specs::Lock lock_;
};

TEST_F(LocatorTest, FindsWheelsAtTheirIndexWithOneThread) {
  index_.AddWheel("demo", "1.0");
  index_.AddWheel("other", "2.0");
  const auto session = MakeSession(1);
  MirrorLocator locator(*session, spec_, lock_, "nb.toml");
  const LockedPackage demo = Wheel("demo", "1.0");
  const LockedPackage other = Wheel("other", "2.0");
  const LockedPackage* const both[] = {&demo, &other};
  locator.Prepare(both);
  const auto addresses = locator.Addresses(demo);
  ASSERT_EQ(addresses.size(), 1u);
  EXPECT_THAT(addresses[0].url, testing::StartsWith(server_.url()));
  EXPECT_THAT(addresses[0].url, testing::EndsWith("demo-1.0-py3-none-any.whl"));
  EXPECT_THAT(addresses[0].origin, HasSubstr("default"));
  const std::size_t asked = server_.requests().size();
  locator.Prepare(both);
  EXPECT_EQ(server_.requests().size(), asked) << "asked again for what it knows";
}

TEST_F(LocatorTest, AWheelThatTheIndexHasNoMoreIsGone) {
  index_.AddWheel("demo", "1.1");
  const auto session = MakeSession();
  MirrorLocator locator(*session, spec_, lock_, "nb.toml");
  const LockedPackage old = Wheel("demo", "1.0");
  const LockedPackage unknown = Wheel("nothere", "1.0");
  const LockedPackage* const both[] = {&old, &unknown};
  locator.Prepare(both);
  for (const LockedPackage* package : both) {
    EXPECT_TRUE(locator.Addresses(*package).empty());
    const Error error = locator.Gone(*package, {});
    EXPECT_THAT(error.what(), HasSubstr(package->file));
    EXPECT_THAT(error.what(), HasSubstr("imgbuild lock --upgrade " + package->name + " nb.toml"));
  }
}

// The lock is of somebody who saw a newer page than the one kept here.
TEST_F(LocatorTest, AWheelThatTheCachedPageLacksIsAskedFor) {
  index_.AddWheel("demo", "1.0");
  const LockedPackage old = Wheel("demo", "1.0");
  const LockedPackage* const first[] = {&old};
  MirrorLocator(*MakeSession(), spec_, lock_, "nb.toml").Prepare(first);
  index_.AddWheel("demo", "1.1");
  const LockedPackage uploaded = Wheel("demo", "1.1");
  const LockedPackage* const second[] = {&uploaded};
  const auto session = MakeSession();
  MirrorLocator locator(*session, spec_, lock_, "nb.toml");
  locator.Prepare(second);
  EXPECT_EQ(locator.Addresses(uploaded).size(), 1u);
}

TEST_F(LocatorTest, AnIndexThatRefusesEndsPreparing) {
  index_.AddWheel("demo", "1.0");
  index_.expected_authorization = "Basic something";
  const auto session = MakeSession();
  MirrorLocator locator(*session, spec_, lock_, "nb.toml");
  const LockedPackage demo = Wheel("demo", "1.0");
  const LockedPackage* const one[] = {&demo};
  EXPECT_THROW(locator.Prepare(one), Error);
}

TEST_F(LocatorTest, DebsAreAtTheMirrorThatTheEnvironmentNames) {
  const auto session = MakeSession();
  MirrorLocator locator(*session, spec_, lock_, "nb.toml");
  const LockedPackage deb = Deb();
  const LockedPackage* const one[] = {&deb};
  locator.Prepare(one);
  const auto addresses = locator.Addresses(deb);
  ASSERT_EQ(addresses.size(), 1u);
  EXPECT_EQ(addresses[0].url, "http://user:hunter2@mirror.example/debian/" + deb.path);
  EXPECT_THAT(addresses[0].origin, HasSubstr("IMGBUILD_DEBIAN_MIRROR"));
  const Error error = locator.Gone(deb, addresses);
  EXPECT_THAT(error.what(), HasSubstr("imgbuild lock --upgrade libc6"));
  EXPECT_THAT(error.what(), testing::Not(HasSubstr("hunter2")));
  EXPECT_TRUE(server_.requests().empty());
}

// To the index's own origin, and to no other.
TEST_F(LocatorTest, WheelsAreAskedForWithTheIndexesCredentials) {
  index_.AddWheel("demo", "1.0");
  index_.expected_authorization = "Basic dXNlcjpodW50ZXIy";
  const LockedPackage demo = Wheel("demo", "1.0");
  const LockedPackage* const one[] = {&demo};
  const auto asked = [&](const std::string& cache) {
    Set("PIP_INDEX_URL", "http://user:hunter2@" + server_.url().substr(7) + "/simple");
    const auto session = MakeSession(1, cache);
    MirrorLocator locator(*session, spec_, lock_, "nb.toml");
    locator.Prepare(one);
    return locator.Addresses(demo).at(0);
  };
  const ArchiveAddress here = asked("here");
  EXPECT_THAT(here.url, testing::StartsWith(server_.url()));
  EXPECT_EQ(here.headers,
            (std::vector<HttpHeader>{{"Authorization", index_.expected_authorization}}));
  index_.files_url = "http://files.example/";
  const ArchiveAddress elsewhere = asked("elsewhere");
  EXPECT_EQ(elsewhere.url, "http://files.example/demo-1.0-py3-none-any.whl");
  EXPECT_TRUE(elsewhere.headers.empty());
}

TEST_F(LocatorTest, ASupersededDebIsLookedForAtTheSnapshotToo) {
  spec_.system.snapshot = "http://snapshot.mirror.example/{timestamp}/debian";
  const auto session = MakeSession();
  MirrorLocator locator(*session, spec_, lock_, "nb.toml");
  const auto addresses = locator.Addresses(Deb());
  ASSERT_EQ(addresses.size(), 2u);
  EXPECT_THAT(addresses[1].url, HasSubstr("snapshot.mirror.example/20261101T100000Z/debian/pool"));
}

TEST_F(LocatorTest, ArtifactsAreAtTheirUrl) {
  const auto session = MakeSession();
  MirrorLocator locator(*session, spec_, lock_, "nb.toml");
  LockedPackage artifact;
  artifact.kind = specs::PackageKind::kWheel;
  artifact.source = kArtifactSource;
  artifact.path = "https://files.example/x?token=abc";
  const LockedPackage* const one[] = {&artifact};
  locator.Prepare(one);
  EXPECT_TRUE(server_.requests().empty());
  EXPECT_EQ(locator.Addresses(artifact),
            (std::vector<ArchiveAddress>{{artifact.path, "artifacts"}}));
  EXPECT_THAT(locator.Gone(artifact, {}).what(), testing::Not(HasSubstr("token")));
}

// The build's own thread and those that fetch a compiler ask at the same time.
TEST_F(LocatorTest, ManyThreadsMayAsk) {
  for (int i = 0; i < 20; ++i) index_.AddWheel("demo" + std::to_string(i), "1.0");
  const auto session = MakeSession(2);
  MirrorLocator locator(*session, spec_, lock_, "nb.toml");
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = t; i < 20; i += 2) {
        const LockedPackage wheel = Wheel("demo" + std::to_string(i), "1.0");
        const LockedPackage deb = Deb();
        const LockedPackage* const both[] = {&wheel, &deb};
        locator.Prepare(both);
        EXPECT_EQ(locator.Addresses(wheel).size(), 1u);
        EXPECT_EQ(locator.Addresses(deb).size(), 1u);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace imgbuild::builder
