#include "builder/assemble/fetcher.h"

#include <atomic>
#include <fstream>
#include <iterator>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "builder/net/curl_client.h"
#include "specs/base/digest.h"
#include "tests/support/loopback_server.h"
#include "tests/support/quiet_progress.h"
#include "tests/support/temp_folder.h"

namespace imgbuild::builder {
namespace {

using specs::Error;
using specs::ErrorKind;
using specs::LockedPackage;
using support::LoopbackServer;
using support::ServeBytes;
using support::ServedRequest;
using support::ServedResponse;
using testing::HasSubstr;

// The addresses a test names, in its order.
class ListedAddresses : public ArchiveLocator {
 public:
  void Prepare(std::span<const LockedPackage* const>) override {}
  std::vector<ArchiveAddress> Addresses(const LockedPackage&) override { return addresses; }
  Error Gone(const LockedPackage& package, const std::vector<ArchiveAddress>& tried) override {
    return Error(package.file + " is gone from " + std::to_string(tried.size()) + " places");
  }

  std::vector<ArchiveAddress> addresses;
};

class FetcherTest : public testing::Test {
 protected:
  FetcherTest() : content_(200'000, 'x') {
    for (std::size_t i = 0; i < content_.size(); ++i) content_[i] = static_cast<char>(i * 7 % 251);
    package_.name = "demo";
    package_.file = "demo_1.0_all.deb";
    package_.size = content_.size();
    package_.sha256 = specs::HashOf(content_);
    package_.source = "bookworm/main";
  }

  Fetcher MakeFetcher(NetworkPolicy network = NetworkPolicy::kAllowed) {
    return Fetcher(
        store_, [this]() -> HttpClient& { return http_; },
        [this]() -> ArchiveLocator& { return locator_; }, progress_,
        {.network = network,
         .local_wheels = {{package_.file, (folder_.path() / "demo.whl").string()}}});
  }

  void Serve(const LoopbackServer& server) {
    locator_.addresses.push_back({server.url() + "/demo.deb", "spec.toml: system.mirror"});
  }

  // The message of the failure to fetch package_.
  std::string Failure(ErrorKind kind) {
    Fetcher fetcher = MakeFetcher();
    try {
      fetcher.FetchNow(package_);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), kind);
      return error.what();
    }
    ADD_FAILURE() << "no failure";
    return "";
  }

  void ExpectFetched() {
    Fetcher fetcher = MakeFetcher();
    std::ifstream file(fetcher.FetchNow(package_), std::ios::binary);
    EXPECT_TRUE(std::string(std::istreambuf_iterator<char>(file), {}) == content_);
  }

  std::string content_;
  LockedPackage package_;
  support::TempFolder folder_;
  layers::Store store_{folder_.path() / "cache"};
  CurlClient http_{{.user_agent = "test", .max_tries = 1, .backoff_ms = 1}};
  ListedAddresses locator_;
  support::QuietProgress progress_;
};

TEST_F(FetcherTest, FetchesOnce) {
  LoopbackServer server([this](const ServedRequest& r) { return ServeBytes(r, content_); });
  Serve(server);
  ExpectFetched();
  ExpectFetched();
  EXPECT_EQ(server.requests().size(), 1U);
}

TEST_F(FetcherTest, GoesOnWhereADownloadWasCut) {
  std::atomic<int> calls = 0;
  LoopbackServer server([&](const ServedRequest& request) {
    ServedResponse response = ServeBytes(request, content_);
    if (calls++ == 0) response.cut_after = 100'000;
    return response;
  });
  Serve(server);
  ExpectFetched();
  ASSERT_EQ(server.requests().size(), 2U);
  EXPECT_THAT(server.requests()[1].headers.at("range"), HasSubstr("bytes="));
}

TEST_F(FetcherTest, StartsAgainAtAServerWithoutRanges) {
  std::atomic<int> calls = 0;
  LoopbackServer server([&](const ServedRequest&) {
    ServedResponse response{.body = content_};
    if (calls++ == 0) response.cut_after = 100'000;
    return response;
  });
  Serve(server);
  ExpectFetched();
}

TEST_F(FetcherTest, ForgetsWrongBytesThatAnEarlierRunLeft) {
  {
    auto partial = store_.OpenDownload(package_.sha256);
    partial->Write(std::string_view("not the beginning"));
  }
  LoopbackServer server([this](const ServedRequest& r) { return ServeBytes(r, content_); });
  Serve(server);
  ExpectFetched();
}

TEST_F(FetcherTest, RefusesOtherBytesAndKeepsNone) {
  LoopbackServer wrong(
      [this](const ServedRequest& r) { return ServeBytes(r, std::string(content_.size(), 'y')); });
  Serve(wrong);
  const std::string message = Failure(ErrorKind::kVerification);
  EXPECT_THAT(message, HasSubstr(package_.sha256.Hex()));
  EXPECT_THAT(message, HasSubstr("imgbuild lock --upgrade demo"));
  EXPECT_FALSE(store_.FindDownload(package_.sha256));
  locator_.addresses.clear();
  LoopbackServer right([this](const ServedRequest& r) { return ServeBytes(r, content_); });
  Serve(right);
  ExpectFetched();
}

TEST_F(FetcherTest, TriesTheNextAddressWhereAFileIsMissing) {
  LoopbackServer empty([](const ServedRequest&) { return ServedResponse{.status = 404}; });
  LoopbackServer full([this](const ServedRequest& r) { return ServeBytes(r, content_); });
  Serve(empty);
  Serve(full);
  ExpectFetched();
}

TEST_F(FetcherTest, AsksTheLocatorWhatToSayWhereAllLackTheFile) {
  LoopbackServer empty([](const ServedRequest&) { return ServedResponse{.status = 404}; });
  LoopbackServer gone([](const ServedRequest&) { return ServedResponse{.status = 410}; });
  Serve(empty);
  Serve(gone);
  EXPECT_THAT(Failure(ErrorKind::kFailure), HasSubstr("is gone from 2 places"));
}

// Object storage says 403 of what it does not have.
TEST_F(FetcherTest, TriesTheNextAddressWhereAFileIsRefused) {
  LoopbackServer refusing([](const ServedRequest&) { return ServedResponse{.status = 403}; });
  LoopbackServer full([this](const ServedRequest& r) { return ServeBytes(r, content_); });
  Serve(refusing);
  Serve(full);
  ExpectFetched();
}

TEST_F(FetcherTest, TellsTheRefusalWhereNoOtherAddressHasTheFile) {
  LoopbackServer refusing([](const ServedRequest&) { return ServedResponse{.status = 403}; });
  LoopbackServer empty([](const ServedRequest&) { return ServedResponse{.status = 404}; });
  Serve(refusing);
  Serve(empty);
  const std::string message = Failure(ErrorKind::kFailure);
  EXPECT_THAT(message, HasSubstr(refusing.url() + "/demo.deb: status 403"));
  EXPECT_THAT(message, HasSubstr("spec.toml: system.mirror"));
}

TEST_F(FetcherTest, LoginsThatAreMissingAreToldAtOnce) {
  LoopbackServer closed([](const ServedRequest&) { return ServedResponse{.status = 401}; });
  LoopbackServer full([this](const ServedRequest& r) { return ServeBytes(r, content_); });
  Serve(closed);
  Serve(full);
  EXPECT_THAT(Failure(ErrorKind::kFailure), HasSubstr("status 401"));
  EXPECT_TRUE(full.requests().empty());
}

TEST_F(FetcherTest, NamesTheSettingOfAMirrorThatCannotBeReached) {
  locator_.addresses.push_back({"http://127.0.0.1:9/demo.deb", "spec.toml: system.mirror"});
  EXPECT_THAT(Failure(ErrorKind::kFailure), HasSubstr("spec.toml: system.mirror"));
}

TEST_F(FetcherTest, ListsWhatIsMissingWithoutANetwork) {
  Fetcher fetcher = MakeFetcher(NetworkPolicy::kForbidden);
  try {
    fetcher.Missing({&package_});
    FAIL() << "no failure";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("demo_1.0_all.deb"));
    EXPECT_THAT(error.what(), HasSubstr("--offline"));
  }
}

TEST_F(FetcherTest, TakesLocalWheelsBesideTheSpec) {
  package_.source = "local";
  std::ofstream(folder_.path() / "demo.whl", std::ios::binary) << content_;
  ExpectFetched();
}

// Locks come with repositories: what they call local is no way to any other file.
TEST_F(FetcherTest, RefusesALocalWheelThatTheSpecDoesNotName) {
  std::ofstream(folder_.path() / "demo.whl", std::ios::binary) << content_;
  Fetcher fetcher = MakeFetcher();
  package_.source = "local";
  package_.file = "other.whl";
  package_.path = "demo.whl";
  EXPECT_THROW(fetcher.FetchNow(package_), Error);
}

TEST_F(FetcherTest, RefusesALocalWheelThatChanged) {
  package_.source = "local";
  std::ofstream(folder_.path() / "demo.whl", std::ios::binary) << "changed";
  EXPECT_THAT(Failure(ErrorKind::kVerification), HasSubstr("demo.whl"));
  EXPECT_FALSE(store_.FindDownload(package_.sha256));
}

}  // namespace
}  // namespace imgbuild::builder
