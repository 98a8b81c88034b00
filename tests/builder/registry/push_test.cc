#include "builder/registry/push.h"

#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <random>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "layers/io/atomic_file.h"
#include "specs/base/error.h"
#include "specs/oci/media_types.h"
#include "tests/builder/registry/registry_fixture.h"
#include "tests/support/quiet_progress.h"

namespace imgbuild::builder {
namespace {

using support::MiniRegistry;
using support::RegistryLogin;
using support::ServedRequest;
using support::ServedResponse;

class PushTest : public RegistryFixture {
 protected:
  PushTest() {
    for (unsigned i = 0; i < 4; ++i) {
      const std::string bytes = Noise(40'000 * (i + 1), i);
      const auto file = folder_.path() / ("blob" + std::to_string(i));
      layers::WriteFileAtomically(file, bytes);
      content_.blobs.push_back({{.media_type = std::string(specs::kOciLayer),
                                 .digest = specs::HashOf(bytes),
                                 .size = bytes.size(),
                                 .platform = {},
                                 .annotations = {}},
                                file});
    }
    for (const char* bytes : {R"({"child":1})", R"({"root":1})"}) {
      content_.documents.push_back({{.media_type = std::string(specs::kOciManifest),
                                     .digest = specs::HashOf(std::string_view(bytes)),
                                     .size = std::string_view(bytes).size(),
                                     .platform = {},
                                     .annotations = {}},
                                    bytes});
    }
  }

  PushResult Push(const MiniRegistry& server, Credentials credentials = {}) {
    Registry registry = Open(server, std::move(credentials));
    return PushImage(registry, memory_, content_, options_, silent_);
  }

  // Everything there and the tag on it; a tag without all of it is what must never be.
  bool IsWhole(const MiniRegistry& server, const std::string& repository = "team/app") const {
    const auto blobs = server.blobs();
    const auto manifests = server.manifests();
    for (const layers::SourceBlob& blob : content_.blobs) {
      if (!blobs.contains(repository + "@" + blob.descriptor.digest.Oci())) return false;
    }
    for (const layers::SourceDocument& document : content_.documents) {
      if (!manifests.contains(repository + "@" + document.descriptor.digest.Oci())) return false;
    }
    return true;
  }
  bool IsTagged(const MiniRegistry& server) const {
    return server.tags().contains("team/app:latest");
  }

  layers::ImageSource content_;
  PushOptions options_{.tags = {"latest", "v1"},
                       .jobs = 3,
                       .upload = {.max_failures = 4, .backoff_ms = 1, .resumable_size = 60'000}};
  support::QuietProgress silent_;
};

TEST_F(PushTest, EverythingThenTheTags) {
  MiniRegistry server;
  PushResult result = Push(server);
  EXPECT_EQ(result.uploaded, 4u);
  EXPECT_EQ(result.bytes_sent, 400'000u);
  EXPECT_TRUE(IsWhole(server));
  EXPECT_EQ(server.tags().size(), 2u);
}

TEST_F(PushTest, AgainCostsOneHeadForEachTag) {
  MiniRegistry server;
  Push(server);
  const std::size_t before = server.requests().size();
  EXPECT_TRUE(Push(server).unchanged);
  const std::vector<ServedRequest> requests = server.requests();
  ASSERT_EQ(requests.size(), before + 2);
  EXPECT_EQ(requests.back().method, "HEAD");
}

// What each task was told, by its label.
class RecordingProgress : public Progress {
 public:
  struct Told {
    std::uint64_t total = 0;
    std::uint64_t done = 0;
    std::string summary;
  };

  std::unique_ptr<ProgressTask> Begin(std::string_view label, ProgressUnit) override {
    return std::make_unique<Task>(*this, std::string(label));
  }
  void Info(std::string_view) override {}
  void Warning(std::string_view) override {}
  void Detail(std::string_view) override {}

  std::map<std::string, Told> tasks;

 private:
  struct Task : ProgressTask {
    Task(RecordingProgress& owner, std::string name) : progress(owner), label(std::move(name)) {}
    Told& told() { return progress.tasks[label]; }
    void SetTotal(std::uint64_t total) override {
      const std::lock_guard lock(progress.mutex_);
      told().total = total;
    }
    void Advance(std::uint64_t amount) override {
      const std::lock_guard lock(progress.mutex_);
      told().done += amount;
    }
    void SetDetail(std::string_view) override {}
    void Finish(std::string_view summary) override {
      const std::lock_guard lock(progress.mutex_);
      told().summary = summary;
    }
    RecordingProgress& progress;
    std::string label;
  };

  std::mutex mutex_;
};

TEST_F(PushTest, ShowsEachBlobThatIsSentAndAllOfThem) {
  MiniRegistry server;
  const layers::SourceBlob& there = content_.blobs[0];
  server.PutBlob("team/app", Noise(40'000, 0));
  Registry registry = Open(server);
  RecordingProgress progress;
  PushImage(registry, memory_, content_, options_, progress);
  for (const layers::SourceBlob& blob : content_.blobs) {
    const std::string label = "  sha256:" + blob.descriptor.digest.Hex().substr(0, 12);
    ASSERT_EQ(progress.tasks.contains(label), &blob != &there);
    if (&blob == &there) continue;
    EXPECT_EQ(progress.tasks[label].total, blob.descriptor.size);
    EXPECT_EQ(progress.tasks[label].done, blob.descriptor.size);
    EXPECT_EQ(progress.tasks[label].summary, "");  // no line of its own
  }
  // What need not be sent is no part of the whole, nor of its rate.
  const RecordingProgress::Told& all = progress.tasks.at("Pushing blobs");
  EXPECT_EQ(all.total, 360'000u);
  EXPECT_EQ(all.done, 360'000u);
  EXPECT_THAT(all.summary,
              testing::HasSubstr("4 blobs: 3 sent, 0 mounted, 1 there before; 360 kB"));
}

TEST_F(PushTest, AnotherTagSendsNoBlob) {
  MiniRegistry server;
  Push(server);
  options_.tags = {"v2"};
  PushResult result = Push(server);
  EXPECT_EQ(result.bytes_sent, 0u);
  EXPECT_TRUE(server.tags().contains("team/app:v2"));
}

TEST_F(PushTest, BlobsMayComeBeforeTheImage) {
  MiniRegistry server;
  Registry registry = Open(server, {});
  ImagePush push(registry, memory_, options_, silent_);
  for (const layers::SourceBlob& blob : content_.blobs) {
    const PushBlob early{blob.descriptor.digest, blob.descriptor.size, blob.path};
    push.Add(early);
    push.Add(early);  // once is enough
  }
  while (server.blobs().size() < content_.blobs.size()) std::this_thread::yield();
  EXPECT_TRUE(server.manifests().empty());
  const PushResult result = push.Finish(content_);
  EXPECT_EQ(result.uploaded, 4u);
  EXPECT_EQ(result.bytes_sent, 400'000u);
  EXPECT_TRUE(IsWhole(server));
  EXPECT_TRUE(IsTagged(server));
}

TEST_F(PushTest, AnImageThatNeverComesIsNoHarm) {
  MiniRegistry server;
  Registry registry = Open(server, {});
  {
    ImagePush push(registry, memory_, options_, silent_);
    const layers::SourceBlob& blob = content_.blobs.front();
    push.Add({blob.descriptor.digest, blob.descriptor.size, blob.path});
  }
  EXPECT_TRUE(server.manifests().empty());
}

TEST_F(PushTest, AFailureBeforeTheImageIsToldAtItsEnd) {
  MiniRegistry server;
  server.AnswerBy([](std::size_t, const ServedRequest& request) -> std::optional<ServedResponse> {
    if (request.method == "HEAD") return std::nullopt;
    return ServedResponse{.status = 403};
  });
  Registry registry = Open(server, {});
  ImagePush push(registry, memory_, options_, silent_);
  const layers::SourceBlob& blob = content_.blobs.front();
  push.Add({blob.descriptor.digest, blob.descriptor.size, blob.path});
  EXPECT_THROW(push.Finish(content_), specs::Error);
  EXPECT_FALSE(IsTagged(server));
}

class TwoRepositoriesTest : public PushTest {
 protected:
  explicit TwoRepositoriesTest(MiniRegistry::Options options = {})
      : server_(std::move(options)),
        one_(Open(server_)),
        two_(Open(server_, {}, "other/app")),
        first_(one_, memory_, options_, silent_),
        second_(two_, memory_, options_, silent_) {}

  // As a build gives its layers.
  void AddToBoth() {
    for (const layers::SourceBlob& blob : content_.blobs) {
      const PushBlob one{blob.descriptor.digest, blob.descriptor.size, blob.path};
      first_.Add(one);
      second_.Add(one);
    }
  }

  MiniRegistry server_;
  Registry one_;
  Registry two_;
  ImagePush first_;
  ImagePush second_;
};

TEST_F(TwoRepositoriesTest, EachBlobIsSentOnceAndMountedOnce) {
  AddToBoth();
  const PushResult one = first_.Finish(content_);
  const PushResult two = second_.Finish(content_);
  EXPECT_EQ(one.uploaded + two.uploaded, 4u);
  EXPECT_EQ(one.mounted + two.mounted, 4u);
  EXPECT_EQ(one.bytes_sent + two.bytes_sent, 400'000u);
  EXPECT_TRUE(IsWhole(server_));
  EXPECT_TRUE(IsWhole(server_, "other/app"));
}

TEST_F(TwoRepositoriesTest, OneThatIsRefusedIsNoHarmToTheOther) {
  server_.AnswerBy([](std::size_t, const ServedRequest& request) -> std::optional<ServedResponse> {
    if (request.method == "HEAD" || !request.target.starts_with("/v2/team/app/")) return {};
    return ServedResponse{.status = 403};
  });
  AddToBoth();
  EXPECT_THROW(first_.Finish(content_), specs::Error);
  EXPECT_EQ(second_.Finish(content_).bytes_sent, 400'000u);
  EXPECT_TRUE(IsWhole(server_, "other/app"));
  EXPECT_FALSE(IsTagged(server_));
}

class WithoutMountsTest : public TwoRepositoriesTest {
 protected:
  WithoutMountsTest() : TwoRepositoriesTest({.mounts = false}) {}
};

TEST_F(WithoutMountsTest, EachRepositoryIsSentAll) {
  AddToBoth();
  EXPECT_EQ(first_.Finish(content_).bytes_sent, 400'000u);
  EXPECT_EQ(second_.Finish(content_).bytes_sent, 400'000u);
  EXPECT_TRUE(IsWhole(server_));
  EXPECT_TRUE(IsWhole(server_, "other/app"));
}

TEST_F(PushTest, TurnsAreThoseOfOneBlobInOneRegistry) {
  const specs::Sha256 blob = specs::HashOf("blob");
  PushMemory copy = memory_;
  std::atomic<bool> had = false;
  std::thread next;
  {
    const PushMemory::Turn turn = memory_.TakeTurn("registry.example", blob);
    const PushMemory::Turn elsewhere = memory_.TakeTurn("other.example", blob);
    const PushMemory::Turn another = memory_.TakeTurn("registry.example", specs::HashOf("other"));
    next = std::thread([&] {
      const PushMemory::Turn its = copy.TakeTurn("registry.example", blob);
      had = true;
    });
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    EXPECT_FALSE(had);
  }
  next.join();
  EXPECT_TRUE(had);
}

TEST_F(PushTest, AManifestThatIsTakenForAnotherIsPutAgain) {
  MiniRegistry server;
  std::atomic<int> lies = 2;
  server.AnswerBy([&](std::size_t, const ServedRequest& request) -> std::optional<ServedResponse> {
    if (request.method != "PUT" || !request.target.ends_with("/manifests/v1")) return std::nullopt;
    if (lies-- <= 0) return std::nullopt;
    return ServedResponse{.status = 201,
                          .headers = {{"Docker-Content-Digest", "sha256:" + std::string(64, 'e')}}};
  });
  Push(server);
  EXPECT_TRUE(server.tags().contains("team/app:v1"));
}

TEST_F(PushTest, ARegistryThatTakesItForAnotherAgainAndAgainIsAnError) {
  MiniRegistry server;
  server.AnswerBy([](std::size_t, const ServedRequest& request) -> std::optional<ServedResponse> {
    if (request.method != "PUT" || !request.target.ends_with("/manifests/v1")) return std::nullopt;
    return ServedResponse{.status = 201,
                          .headers = {{"Docker-Content-Digest", "sha256:" + std::string(64, 'e')}}};
  });
  EXPECT_THROW(Push(server), specs::Error);
}

TEST_F(PushTest, ATokenMayRunOutAnywhere) {
  MiniRegistry server({.login = RegistryLogin::kToken, .token_uses = 3});
  Push(server, Ann());
  EXPECT_TRUE(IsWhole(server));
  EXPECT_TRUE(IsTagged(server));
}

// A fault at each request of a push, of every kind: it ends in the whole image or an error, and
// never in a tag on part of it.
TEST_F(PushTest, FaultsAtEveryRequest) {
  std::size_t requests = 0;
  {
    MiniRegistry server;
    Push(server);
    requests = server.requests().size();
  }
  int runs = 0;
  int whole = 0;
  std::mt19937 random(7);
  for (std::size_t number = 0; number < requests; ++number) {
    for (int fault = 0; fault < 10; ++fault) {
      support::TempFolder memory;
      memory_ = PushMemory(memory.path());
      MiniRegistry server({.keeps_cut_uploads = fault % 2 == 0});
      const std::size_t cut_at = random() % 60'000;
      server.AnswerBy([=](std::size_t at, const ServedRequest&) -> std::optional<ServedResponse> {
        if (at != number) return std::nullopt;
        switch (fault) {
          case 0:
            return ServedResponse{.status = 500};
          case 1:
            return ServedResponse{.status = 503};
          case 2:
            return ServedResponse{.status = 429, .headers = {{"Retry-After", "0"}}};
          case 3:
            return ServedResponse{.status = 401, .headers = {{"WWW-Authenticate", "Odd"}}};
          case 4:
            return ServedResponse{.status = 200, .body = "<html>log in</html>"};
          case 5:
            return ServedResponse{.status = 202, .headers = {{"Location", "http://[::"}}};
          case 6:
            return ServedResponse{.status = 201,
                                  .headers = {{"Docker-Content-Digest", "sha256:0"}}};
          case 7:
            return ServedResponse{.status = 307, .headers = {{"Location", "/nowhere"}}};
          default:
            return std::nullopt;
        }
      });
      server.CutBodies([=](std::size_t at, const ServedRequest&) -> std::optional<std::size_t> {
        return at == number && fault >= 8 ? std::optional(cut_at) : std::nullopt;
      });
      ++runs;
      try {
        Push(server);
        EXPECT_TRUE(IsWhole(server)) << "request " << number << ", fault " << fault;
        EXPECT_TRUE(IsTagged(server)) << "request " << number << ", fault " << fault;
        ++whole;
      } catch (const specs::Error&) {
        EXPECT_TRUE(!IsTagged(server) || IsWhole(server))
            << "request " << number << ", fault " << fault;
      }
    }
  }
  EXPECT_GE(runs, 150);
  EXPECT_GT(whole, runs / 3);
}

}  // namespace
}  // namespace imgbuild::builder
