// What goes wrong beside the network: disks, locators, files that are not what was promised.
#include <atomic>
#include <fstream>
#include <mutex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "builder/assemble/fetcher.h"
#include "builder/net/curl_client.h"
#include "tests/builder/assemble/packages_fixture.h"
#include "tests/support/loopback_server.h"

namespace imgbuild::builder {
namespace {

namespace fs = std::filesystem;
using specs::Error;
using specs::ErrorKind;
using specs::LockedPackage;
using testing::HasSubstr;

class FetcherFailures : public testing::Test {
 protected:
  FetcherFailures() { AddDebs(packages_, locked_, 4); }

  std::vector<const LockedPackage*> Wanted() const {
    std::vector<const LockedPackage*> wanted;
    for (const LockedPackage& package : locked_.packages) wanted.push_back(&package);
    return wanted;
  }

  // name -> error, "" for what came. Fails where a package is told twice or not at all.
  std::map<std::string, std::string> FetchAll(Fetcher::Wanted wanted = {}) {
    std::map<std::string, std::string> results;
    Fetcher fetcher = packages_.MakeFetcher();
    fetcher.Fetch(
        Wanted(),
        [&](const LockedPackage& package, Fetcher::Result result) {
          auto* error = std::get_if<Error>(&result);
          const bool is_new =
              results.emplace(package.name, error != nullptr ? error->what() : "").second;
          EXPECT_TRUE(is_new) << package.name;
        },
        std::move(wanted));
    EXPECT_EQ(results.size(), locked_.packages.size());
    return results;
  }

  ErrorKind KindOf(const LockedPackage& package, std::string* message = nullptr) {
    Fetcher fetcher = packages_.MakeFetcher();
    try {
      fetcher.FetchNow(package);
    } catch (const Error& error) {
      if (message != nullptr) *message = error.what();
      return error.kind();
    }
    ADD_FAILURE() << "no failure";
    return ErrorKind::kUsage;
  }

  Packages packages_;
  specs::LockedPlatform locked_;
};

TEST_F(FetcherFailures, NothingStartsWhereTheLocatorFails) {
  packages_.locator.prepare_fails = "the index does not answer";
  Fetcher fetcher = packages_.MakeFetcher();
  int calls = 0;
  EXPECT_THROW(fetcher.Fetch(Wanted(), [&](const LockedPackage&, auto) { ++calls; }), Error);
  EXPECT_EQ(calls, 0);
  EXPECT_TRUE(packages_.http.requests().empty());
}

TEST_F(FetcherFailures, OnePackageWithoutAddressLeavesTheOthers) {
  packages_.locator.no_address_for = "package1";
  const auto results = FetchAll();
  EXPECT_THAT(results.at("package1"), HasSubstr("no mirror has package1"));
  EXPECT_EQ(results.at("package0"), "");
  EXPECT_EQ(results.at("package3"), "");
}

// std::filesystem's own exceptions are no Error, and nothing may escape the client's thread.
TEST_F(FetcherFailures, ADirectoryThatCannotBeMadeIsAnErrorOfThatPackage) {
  const fs::path place = packages_.store.paths().Download(locked_.packages[2].sha256).parent_path();
  fs::create_directories(place.parent_path());
  std::ofstream(place) << "in the way";
  const auto results = FetchAll();
  EXPECT_THAT(results.at("package2"), HasSubstr(place.filename().string()));
  EXPECT_EQ(results.at("package3"), "");
}

TEST_F(FetcherFailures, TheSameOnTheThreadOfARealClient) {
  const LockedPackage& package = locked_.packages[2];
  const fs::path place = packages_.store.paths().Download(package.sha256).parent_path();
  fs::create_directories(place.parent_path());
  std::ofstream(place) << "in the way";
  const std::string bytes = packages_.http.Fetch({.url = packages_.Url(package)}).body;
  support::LoopbackServer server(
      [&](const auto&) { return support::ServedResponse{.body = bytes}; });
  class OneAddress : public TableLocator {
   public:
    std::vector<ArchiveAddress> Addresses(const LockedPackage&) override { return {{url, "test"}}; }
    std::string url;
  } locator;
  locator.url = server.url() + "/x.deb";
  CurlClient http({.user_agent = "test", .max_tries = 1});
  Fetcher fetcher(
      packages_.store, [&]() -> HttpClient& { return http; },
      [&]() -> ArchiveLocator& { return locator; }, packages_.progress, {});
  EXPECT_THROW(fetcher.FetchNow(package), Error);
}

TEST_F(FetcherFailures, LocalWheelsThatCannotBeTakenAreToldOnce) {
  for (LockedPackage& package : locked_.packages) {
    package.source = "local";
    packages_.local_wheels[package.file] = packages_.folder.path() / package.file;
  }
  std::ofstream(packages_.folder.path() / locked_.packages[0].file) << "other bytes";
  const fs::path place = packages_.store.paths().Download(locked_.packages[2].sha256).parent_path();
  fs::create_directories(place.parent_path());
  std::ofstream(place) << "in the way";
  std::ofstream(packages_.folder.path() / locked_.packages[2].file, std::ios::binary)
      << packages_.http.Fetch({.url = packages_.Url(locked_.packages[2])}).body;
  const auto results = FetchAll();
  EXPECT_THAT(results.at("package0"), HasSubstr("SHA-256"));
  EXPECT_THAT(results.at("package1"), HasSubstr(locked_.packages[1].file));
  EXPECT_NE(results.at("package2"), "");
}

TEST_F(FetcherFailures, RefusesMoreBytesThanWereLockedAsTheyCome) {
  LockedPackage& package = locked_.packages[3];
  packages_.http.Serve(packages_.Url(package), std::string(5'000'000, 'x'));
  std::string message;
  EXPECT_EQ(KindOf(package, &message), ErrorKind::kVerification);
  EXPECT_THAT(message, HasSubstr("longer than"));
  EXPECT_THAT(message, HasSubstr(std::to_string(package.size) + " bytes"));
  EXPECT_EQ(packages_.store.OpenDownload(package.sha256)->size(), 0u) << "kept";
}

TEST_F(FetcherFailures, StartsAnewAfterALongerRestOfAnEarlierRun) {
  const LockedPackage& package = locked_.packages[1];
  packages_.store.OpenDownload(package.sha256)->Write(std::string(10'000, 'x'));
  EXPECT_EQ(FetchAll().at("package1"), "");
}

TEST_F(FetcherFailures, StopsWhatIsNotWantedAndKeepsWhatCame) {
  const LockedPackage& package = locked_.packages[3];
  packages_.store.OpenDownload(package.sha256)->Write(std::string(100, 'x'));
  const auto results = FetchAll([] { return false; });
  for (const auto& [name, error] : results) EXPECT_NE(error, "") << name;
  EXPECT_EQ(packages_.store.OpenDownload(package.sha256)->size(), 100u);
}

TEST_F(FetcherFailures, ADownloadThatVanishesIsFetchedAgain) {
  Fetcher fetcher = packages_.MakeFetcher();
  const LockedPackage& package = locked_.packages[3];
  const fs::path path = fetcher.FetchNow(package);
  fs::remove(packages_.store.paths().Download(package.sha256));
  EXPECT_EQ(fetcher.FetchNow(package), path);
  EXPECT_TRUE(fs::exists(path));
}

TEST_F(FetcherFailures, HintsOfArtifactsNameTheSpec) {
  LockedPackage package = locked_.packages[3];
  package.source = specs::kArtifactSource;
  packages_.http.Serve(packages_.Url(package), std::string(package.size, 'y'));
  std::string message;
  EXPECT_EQ(KindOf(package, &message), ErrorKind::kVerification);
  EXPECT_THAT(message, HasSubstr("[[artifacts]]"));
  EXPECT_THAT(message, testing::Not(HasSubstr("--upgrade")));
}

}  // namespace
}  // namespace imgbuild::builder
