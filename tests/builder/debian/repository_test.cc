#include "builder/debian/repository.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "builder/debian/release_file.h"
#include "layers/io/atomic_file.h"
#include "layers/io/file.h"
#include "specs/base/error.h"
#include "tests/support/mini_archive.h"
#include "tests/support/quiet_progress.h"
#include "tests/support/temp_folder.h"

namespace imgbuild::builder {
namespace {

using specs::Architecture;
using specs::ErrorKind;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr std::string_view kArchive = "https://mirror.example/debian";
constexpr std::string_view kSecurity = "https://mirror.example/debian-security";

class RepositoryTest : public ::testing::Test {
 protected:
  RepositoryTest() : archive_(http_, std::string(kArchive), std::string(kSecurity)) {
    main_.codename = "bookworm";
    main_.packages = {{.name = "a", .fields = {{"Depends", "b"}}},
                      {.name = "b"},
                      {.name = "c", .architecture = "amd64"}};
    updates_.codename = "bookworm-updates";
    security_.codename = "bookworm-security";
    security_.valid_until = "Sat, 18 Jul 2026 10:16:37 UTC";
    security_.packages = {{.name = "b", .version = "1.0-1+deb12u1"}};
    PublishAll();
    layers::WriteFileAtomically(folder_.path() / "key.gpg", archive_.signer().PublicKey());
    options_.mirrors = {{std::string(kArchive), "spec.toml: system.mirror"},
                        {std::string(kSecurity), "the default"}};
    options_.keyring = {{folder_.path() / "key.gpg"}};
    options_.cache = folder_.path() / "cache";
    options_.now = *ParseReleaseDate(main_.date) + 3600;
  }

  void PublishAll() {
    for (const support::MiniSuite* suite : {&main_, &updates_, &security_}) {
      archive_.Publish(*suite);
    }
  }

  PackageIndex Load(Architecture architecture = Architecture::kAmd64) {
    Repository repository(specs::Suite::kBookworm, options_, http_, progress_);
    return repository.Load(architecture);
  }

  specs::Error Failure() {
    try {
      Load();
    } catch (specs::Error& error) {
      return error;
    }
    ADD_FAILURE() << "no error";
    return specs::Error("none");
  }

  static std::string Version(const PackageIndex& index, std::string_view name) {
    std::vector<Package> found = index.Candidates(name);
    return found.empty() ? "" : std::string(found[0].version());
  }

  support::TempFolder folder_;
  support::FakeHttp http_;
  support::MiniArchive archive_;
  support::MiniSuite main_;
  support::MiniSuite updates_;
  support::MiniSuite security_;
  support::QuietProgress progress_;
  RepositoryOptions options_;
};

TEST_F(RepositoryTest, LoadsAllPartsAndNamesTheirSources) {
  Repository repository(specs::Suite::kBookworm, options_, http_, progress_);
  PackageIndex index = repository.Load(Architecture::kAmd64);
  EXPECT_EQ(index.size(), 4u);
  EXPECT_EQ(index.Candidates("a")[0].source(), "bookworm/main");
  EXPECT_EQ(index.Candidates("b")[0].source(), "bookworm-security/main");
  EXPECT_EQ(Version(index, "b"), "1.0-1+deb12u1");
  std::vector<specs::LockedSuite> suites = repository.suites();
  ASSERT_EQ(suites.size(), 3u);
  EXPECT_EQ(suites[0].name, "bookworm");
  EXPECT_EQ(suites[0].date, "2026-07-11T10:16:37Z");
  EXPECT_FALSE(suites[0].digest.IsZero());
  EXPECT_EQ(repository.Load(Architecture::kArm64).size(), 3u);
  EXPECT_EQ(http_.Count(archive_.DistUrl("bookworm") + "/InRelease"), 1);
}

TEST_F(RepositoryTest, ByHashComesFirstAndThePlainPathAfterIt) {
  Load();
  for (const support::FakeHttp::Seen& seen : http_.requests()) {
    EXPECT_THAT(seen.url, testing::AnyOf(HasSubstr("/by-hash/SHA256/"), HasSubstr("/InRelease")));
  }
  main_.by_hash = false;
  main_.packages.push_back({.name = "new"});
  PublishAll();
  options_.now += 1000;
  EXPECT_EQ(Version(Load(), "new"), "1.0-1");
  EXPECT_EQ(http_.Count(archive_.DistUrl("bookworm") + "/main/binary-amd64/Packages.gz"), 1);
}

TEST_F(RepositoryTest, FreshCacheAsksNothingAndOlderOneAsksIfChanged) {
  Load();
  http_.ForgetRequests();
  options_.now += 200;
  Load();
  EXPECT_THAT(http_.requests(), IsEmpty());
  options_.now += 200;
  Load();
  EXPECT_EQ(http_.requests().size(), 3u);
  for (const support::FakeHttp::Seen& seen : http_.requests()) {
    ASSERT_EQ(seen.headers.size(), 1u);
    EXPECT_EQ(seen.headers[0].name, "If-None-Match");
  }
  http_.ForgetRequests();
  options_.now += 200;
  Load();
  EXPECT_THAT(http_.requests(), IsEmpty());
}

TEST_F(RepositoryTest, NewReleaseIsTakenAndOlderOneIsNot) {
  Load();
  std::string old_date = main_.date;
  main_.date = "Sun, 12 Jul 2026 10:16:37 UTC";
  main_.packages.push_back({.name = "new"});
  PublishAll();
  options_.now += 400;
  EXPECT_EQ(Version(Load(), "new"), "1.0-1");
  main_.date = old_date;
  main_.packages.pop_back();
  PublishAll();
  options_.now += 400;
  EXPECT_EQ(Version(Load(), "new"), "1.0-1");
  EXPECT_THAT(progress_.lines(), Contains(HasSubstr("behind what is cached")));
}

TEST_F(RepositoryTest, ListsThatVanishedUnderAFreshReleaseAreAskedForAnew) {
  Load(Architecture::kArm64);
  main_.packages.push_back({.name = "new"});
  PublishAll();
  main_.by_hash = false;  // the old by-hash files are gone with the old list
  std::string folder = archive_.DistUrl("bookworm") + "/main/binary-amd64";
  support::MiniSuite old = main_;
  old.packages.pop_back();
  http_.Remove(folder + "/by-hash/SHA256/" +
               specs::HashOf(support::Gzip(old.Packages("amd64"))).Hex());
  EXPECT_EQ(Version(Load(), "new"), "1.0-1");
}

TEST_F(RepositoryTest, OfflineUsesTheCacheAndSaysWhatIsMissing) {
  options_.network = NetworkUse::kOffline;
  EXPECT_THAT(Failure().what(), AllOf(HasSubstr("bookworm"), HasSubstr("--offline")));
  options_.network = NetworkUse::kOnline;
  Load();
  http_.BreakAll("the network is cut");
  http_.ForgetRequests();
  options_.network = NetworkUse::kOffline;
  options_.now += 30 * 86'400;
  EXPECT_EQ(Load().size(), 4u);
  EXPECT_THAT(http_.requests(), IsEmpty());
  EXPECT_THAT(progress_.lines(), Contains(HasSubstr("bookworm-security expired 23 days ago")));
  Repository repository(specs::Suite::kBookworm, options_, http_, progress_);
  try {
    repository.Load(Architecture::kArm64);
    ADD_FAILURE();
  } catch (const specs::Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("(arm64) is not in the cache"));
  }
}

TEST_F(RepositoryTest, UnreachableMirrorIsNamedWithItsSettingAndWithoutCredentials) {
  options_.mirrors.archive.url = "https://me:secret@mirror.example/debian";
  http_.BreakAll("connection refused");
  EXPECT_THAT(Failure().what(), AllOf(HasSubstr("mirror.example/debian/dists/bookworm/InRelease"),
                                      HasSubstr("spec.toml: system.mirror"),
                                      HasSubstr("connection refused"), Not(HasSubstr("secret"))));
}

TEST_F(RepositoryTest, MirrorWithoutTheSuiteIsNamed) {
  http_.Remove(archive_.DistUrl("bookworm-updates") + "/InRelease");
  EXPECT_THAT(Failure().what(), AllOf(HasSubstr("no suite bookworm-updates"), HasSubstr("404"),
                                      HasSubstr("spec.toml: system.mirror")));
}

TEST_F(RepositoryTest, BadSignatureEndsInVerification) {
  support::OpenPgpSigner other;
  layers::WriteFileAtomically(folder_.path() / "key.gpg", other.PublicKey());
  specs::Error error = Failure();
  EXPECT_EQ(error.kind(), ErrorKind::kVerification);
  EXPECT_THAT(error.what(), AllOf(HasSubstr("not in the keyring"), HasSubstr("key.gpg"),
                                  HasSubstr("system.mirror")));
}

TEST_F(RepositoryTest, ExpiredAndFutureReleasesAreRefused) {
  options_.now = *ParseReleaseDate(security_.valid_until) + 3 * 86'400;
  specs::Error expired = Failure();
  EXPECT_EQ(expired.kind(), ErrorKind::kVerification);
  EXPECT_THAT(expired.what(), AllOf(HasSubstr("bookworm-security has expired"),
                                    HasSubstr("3 days ago"), HasSubstr("the default")));
  options_.now = *ParseReleaseDate(main_.date) - 2 * 86'400;
  specs::Error future = Failure();
  EXPECT_EQ(future.kind(), ErrorKind::kVerification);
  EXPECT_THAT(future.what(), HasSubstr("dated in the future"));
  options_.now = *ParseReleaseDate(main_.date) - 3600;
  EXPECT_EQ(Load().size(), 4u);
}

TEST_F(RepositoryTest, AnotherSuiteUnderTheNameIsRefused) {
  support::MiniSuite foreign = main_;
  foreign.codename = "sid";
  http_.Serve(archive_.DistUrl("bookworm") + "/InRelease",
              archive_.signer().ClearSign(foreign.Release()));
  specs::Error error = Failure();
  EXPECT_EQ(error.kind(), ErrorKind::kVerification);
  EXPECT_THAT(error.what(), AllOf(HasSubstr("another suite"), HasSubstr("\"sid\"")));
}

TEST_F(RepositoryTest, WrongListIsRefusedBeforeItIsUnpacked) {
  main_.by_hash = false;
  PublishAll();
  std::string url = archive_.DistUrl("bookworm") + "/main/binary-amd64/Packages.gz";
  http_.Serve(url, support::Gzip("Package: evil\n"));
  specs::Error error = Failure();
  EXPECT_EQ(error.kind(), ErrorKind::kVerification);
  EXPECT_THAT(error.what(), AllOf(HasSubstr("not the one its Release file names"), HasSubstr(url)));
  http_.Remove(url);
  EXPECT_THAT(Failure().what(), AllOf(HasSubstr("lacks the package list of bookworm/main (amd64)"),
                                      HasSubstr("HTTP 404")));
}

TEST_F(RepositoryTest, UnpackingStopsAtTheStatedSize) {
  const std::string packed = support::Gzip(std::string(50'000'000, 'x'));
  std::string release = main_.Release();
  release = release.substr(0, release.find("SHA256:"));
  release += "SHA256:\n " + specs::HashOf("x").Hex() + " 1000 main/binary-amd64/Packages\n " +
             specs::HashOf(packed).Hex() + " " + std::to_string(packed.size()) +
             " main/binary-amd64/Packages.gz\n";
  http_.Serve(archive_.DistUrl("bookworm") + "/InRelease", archive_.signer().ClearSign(release));
  http_.Serve(archive_.DistUrl("bookworm") + "/main/binary-amd64/Packages.gz", packed);
  EXPECT_THAT(Failure().what(), HasSubstr("bookworm/main (amd64)"));
}

TEST_F(RepositoryTest, DamagedCacheIsMadeAnew) {
  Load();
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(folder_.path() / "cache")) {
    if (!entry.is_regular_file()) continue;
    std::string bytes = layers::ReadFile(entry.path());
    bytes[bytes.size() / 3] = static_cast<char>(bytes[bytes.size() / 3] ^ 1);
    layers::WriteFileAtomically(entry.path(), bytes.substr(0, bytes.size() - 1));
  }
  EXPECT_EQ(Load().size(), 4u);
  EXPECT_EQ(Load().size(), 4u);
}

TEST_F(RepositoryTest, CacheHoldsNoHostAndNoCredentials) {
  std::string with_user = "https://me:secret@mirror.example/debian";
  support::MiniArchive credentialed(http_, with_user, std::string(kSecurity));
  options_.mirrors.archive.url = with_user;
  layers::WriteFileAtomically(folder_.path() / "key.gpg", archive_.signer().PublicKey());
  for (const support::FakeHttp::Seen& seen : http_.requests()) (void)seen;
  for (const char* part : {"bookworm", "bookworm-updates"}) {
    std::string plain = archive_.DistUrl(part);
    http_.On(credentialed.DistUrl(part) + "/InRelease", [=, this](const HttpRequest& request) {
      HttpRequest copy = request;
      copy.url = plain + "/InRelease";
      return HttpResult(http_.Fetch(copy));
    });
  }
  for (const char* part : {"bookworm", "bookworm-updates"}) {
    const support::MiniSuite& suite = std::string(part) == "bookworm" ? main_ : updates_;
    http_.Serve(credentialed.DistUrl(part) + "/main/binary-amd64/Packages.gz",
                support::Gzip(suite.Packages("amd64")));
  }
  Load();
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(folder_.path() / "cache")) {
    EXPECT_THAT(entry.path().string(), Not(HasSubstr("mirror.example")));
    if (!entry.is_regular_file()) continue;
    std::string bytes = layers::ReadFile(entry.path());
    EXPECT_THAT(bytes, Not(HasSubstr("secret")));
    EXPECT_THAT(bytes, Not(HasSubstr("https://")));
  }
}

}  // namespace
}  // namespace imgbuild::builder
