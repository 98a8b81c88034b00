// More archives than there may be open files.
#include <atomic>
#include <condition_variable>
#include <mutex>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include "builder/assemble/fetcher.h"
#include "builder/net/curl_client.h"
#include "specs/base/digest.h"
#include "tests/support/loopback_server.h"
#include "tests/support/quiet_progress.h"
#include "tests/support/temp_folder.h"

namespace imgbuild::builder {
namespace {

using specs::Error;
using specs::LockedPackage;

class OpenFilesLimit {
 public:
  explicit OpenFilesLimit(rlim_t most) {
    getrlimit(RLIMIT_NOFILE, &before_);
    const rlimit lower{.rlim_cur = most, .rlim_max = before_.rlim_max};
    EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &lower), 0);
  }
  ~OpenFilesLimit() { setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

// Everything lies below one server, under its file name.
class OneServer : public ArchiveLocator {
 public:
  explicit OneServer(std::string url) : url_(std::move(url)) {}
  void Prepare(std::span<const LockedPackage* const>) override {}
  std::vector<ArchiveAddress> Addresses(const LockedPackage& package) override {
    return {{url_ + "/" + package.file, "a test"}};
  }
  Error Gone(const LockedPackage& package, const std::vector<ArchiveAddress>&) override {
    return Error(package.file + " is gone");
  }

 private:
  std::string url_;
};

class FetcherLimits : public testing::Test {
 protected:
  void AddPackages(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      LockedPackage& package = packages_.emplace_back();
      package.name = fmt::format("package{}", i);
      package.file = package.name + ".deb";
      package.size = Content(package.file).size();
      package.sha256 = specs::HashOf(Content(package.file));
      package.source = "bookworm/main";
    }
  }
  static std::string Content(const std::string& file) { return "the bytes of " + file; }

  // How many came; every failure is told.
  std::size_t FetchAll(const std::string& url, Fetcher::Wanted wanted = {}) {
    OneServer locator(url);
    Fetcher fetcher(
        store_, [this]() -> HttpClient& { return http_; },
        [&]() -> ArchiveLocator& { return locator; }, progress_, {});
    std::vector<const LockedPackage*> all;
    for (const LockedPackage& package : packages_) all.push_back(&package);
    std::mutex mutex;
    std::condition_variable ended;
    std::size_t done = 0;
    std::size_t came = 0;
    fetcher.Fetch(
        all,
        [&](const LockedPackage&, Fetcher::Result result) {
          std::lock_guard lock(mutex);
          came += std::holds_alternative<std::filesystem::path>(result) ? 1 : 0;
          if (auto* error = std::get_if<Error>(&result)) failures_.push_back(error->what());
          if (++done == all.size()) ended.notify_all();
        },
        std::move(wanted));
    std::unique_lock lock(mutex);
    ended.wait(lock, [&] { return done == all.size(); });
    return came;
  }

  std::vector<LockedPackage> packages_;
  std::vector<std::string> failures_;
  support::TempFolder folder_;
  layers::Store store_{folder_.path() / "cache"};
  CurlClient http_{{.user_agent = "test", .max_tries = 1}};
  support::QuietProgress progress_;
};

TEST_F(FetcherLimits, ManyArchivesNeedFewOpenFiles) {
  support::LoopbackServer server([](const support::ServedRequest& request) {
    return support::ServedResponse{.body = Content(request.target.substr(1))};
  });
  AddPackages(1500);
  const OpenFilesLimit limit(256);
  EXPECT_EQ(FetchAll(server.url()), packages_.size())
      << (failures_.empty() ? "" : failures_.front());
  EXPECT_EQ(server.requests().size(), packages_.size());
}

TEST_F(FetcherLimits, TheSameArchiveAskedForTwiceIsFetchedOnce) {
  support::LoopbackServer server([](const support::ServedRequest& request) {
    return support::ServedResponse{.body = Content(request.target.substr(1))};
  });
  AddPackages(100);
  packages_.insert(packages_.end(), packages_.begin(), packages_.begin() + 100);
  packages_.push_back(packages_.back());
  EXPECT_EQ(FetchAll(server.url()), 201u);
  EXPECT_EQ(server.requests().size(), 100u);
}

TEST_F(FetcherLimits, WhatIsNotWantedEndsThoughTheServerNeverAnswers) {
  support::LoopbackServer server([](const support::ServedRequest&) {
    return support::ServedResponse{.hang = support::Hang::kBeforeHead};
  });
  AddPackages(300);
  std::atomic<int> asked = 0;
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(FetchAll(server.url(), [&] { return ++asked < 400; }), 0u);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
  EXPECT_EQ(failures_.size(), 300u);
}

}  // namespace
}  // namespace imgbuild::builder
