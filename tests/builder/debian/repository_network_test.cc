// The real archive, through the mirror that this host's apt uses.
#include <chrono>
#include <ctime>

#include <gtest/gtest.h>

#include "builder/debian/repository.h"
#include "builder/net/curl_client.h"
#include "specs/base/error.h"
#include "tests/support/quiet_progress.h"
#include "tests/support/temp_folder.h"

namespace imgbuild::builder {
namespace {

class RealArchive : public ::testing::TestWithParam<specs::Suite> {
 protected:
  void SetUp() override {
    Environment environment = Environment::OfProcess();
    try {
      options_.mirrors =
          FindDebianMirrors(environment, std::nullopt, {}, ReadHostSources(environment));
      HttpRequest request;
      request.url = options_.mirrors.archive.url + "/dists/bookworm/InRelease";
      client_.Fetch(request);
    } catch (const specs::Error& error) {
      GTEST_SKIP() << "THE DEBIAN ARCHIVE CANNOT BE REACHED: " << error.what();
    }
    options_.keyring = HostDebianKeyring();
    options_.cache = folder_.path();
    options_.now = std::time(nullptr);
  }

  double Timed(specs::Architecture architecture, std::size_t& size) {
    auto begin = std::chrono::steady_clock::now();
    Repository repository(GetParam(), options_, client_, progress_);
    size = repository.Load(architecture).size();
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin)
        .count();
  }

  support::TempFolder folder_;
  CurlClient client_{CurlOptions{.user_agent = "imgbuild-test"}};
  support::QuietProgress progress_;
  RepositoryOptions options_;
};

TEST_P(RealArchive, LoadsBothArchitecturesAndMapsThemAgain) {
  for (specs::Architecture architecture :
       {specs::Architecture::kAmd64, specs::Architecture::kArm64}) {
    std::size_t cold_size = 0;
    std::size_t warm_size = 0;
    RecordProperty("cold_ms", std::to_string(Timed(architecture, cold_size)));
    double warm = Timed(architecture, warm_size);
    RecordProperty("warm_ms", std::to_string(warm));
    EXPECT_GT(cold_size, 50'000u);
    EXPECT_EQ(warm_size, cold_size);
    std::printf("warm %.1f ms\n", warm);
  }
}

TEST_P(RealArchive, KnowsPythonAndItsSources) {
  Repository repository(GetParam(), options_, client_, progress_);
  PackageIndex index = repository.Load(specs::Architecture::kAmd64);
  ASSERT_FALSE(index.Candidates("python3").empty());
  EXPECT_FALSE(index.Providers("awk").empty());
  EXPECT_EQ(repository.suites().size(), 3u);
  options_.network = NetworkUse::kOffline;
  Repository offline(GetParam(), options_, client_, progress_);
  EXPECT_EQ(offline.Load(specs::Architecture::kAmd64).size(), index.size());
}

INSTANTIATE_TEST_SUITE_P(Suites, RealArchive,
                         ::testing::Values(specs::Suite::kBookworm, specs::Suite::kTrixie),
                         [](const auto& suite) {
                           return suite.param == specs::Suite::kBookworm ? "bookworm" : "trixie";
                         });

}  // namespace
}  // namespace imgbuild::builder
