#include "builder/registry/blob_upload.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "layers/io/atomic_file.h"
#include "specs/base/error.h"
#include "tests/builder/registry/registry_fixture.h"

namespace imgbuild::builder {
namespace {

using support::MiniRegistry;
using support::ServedRequest;
using support::ServedResponse;

constexpr std::size_t kSize = 300'000;

class BlobUploadTest : public RegistryFixture {
 protected:
  BlobUploadTest() {
    layers::WriteFileAtomically(folder_.path() / "blob", bytes_);
    blob_ = {specs::HashOf(bytes_), bytes_.size(), folder_.path() / "blob"};
  }

  BlobResult Upload(const MiniRegistry& server, const std::string& repository = "team/app") {
    Registry registry = Open(server, {}, repository);
    told_ = 0;
    return UploadBlob(
        registry, memory_, blob_, [this](std::uint64_t bytes) { told_ += bytes; }, options_);
  }

  bool IsThere(const MiniRegistry& server, const std::string& repository = "team/app") {
    const auto blobs = server.blobs();
    const auto found = blobs.find(repository + "@" + blob_.digest.Oci());
    return found != blobs.end() && found->second == bytes_;
  }

  const std::string bytes_ = Noise(kSize);
  PushBlob blob_;
  UploadOptions options_{.max_failures = 4, .backoff_ms = 1, .resumable_size = 100'000};
  std::uint64_t told_ = 0;
};

TEST_F(BlobUploadTest, UploadsOnceAndFindsItThen) {
  MiniRegistry server;
  BlobResult first = Upload(server);
  EXPECT_EQ(first.outcome, BlobOutcome::kUploaded);
  EXPECT_EQ(first.bytes_sent, kSize);
  EXPECT_TRUE(IsThere(server));
  EXPECT_EQ(told_, kSize);
  BlobResult second = Upload(server);
  EXPECT_EQ(second.outcome, BlobOutcome::kPresent);
  EXPECT_EQ(second.bytes_sent, 0u);
  EXPECT_EQ(told_, kSize);
}

TEST_F(BlobUploadTest, ASmallBlobGoesOutInTwoRequests) {
  MiniRegistry server;
  options_.resumable_size = kSize + 1;
  Upload(server);
  std::vector<std::string> methods;
  for (const ServedRequest& request : server.requests()) methods.push_back(request.method);
  EXPECT_THAT(methods, testing::ElementsAre("HEAD", "POST", "PUT"));
  EXPECT_TRUE(IsThere(server));
}

TEST_F(BlobUploadTest, MountsFromWhereItWasPushedBefore) {
  MiniRegistry server;
  Upload(server, "team/app");
  BlobResult other = Upload(server, "team/other");
  EXPECT_EQ(other.outcome, BlobOutcome::kMounted);
  EXPECT_EQ(other.bytes_sent, 0u);
  EXPECT_TRUE(IsThere(server, "team/other"));
}

TEST_F(BlobUploadTest, KeepsToTheRegistrysChunks) {
  MiniRegistry server({.chunk_min = 20'000, .chunk_max = 70'000});
  Upload(server);
  EXPECT_TRUE(IsThere(server));
  for (const ServedRequest& request : server.requests()) EXPECT_LE(request.body.size(), 70'000u);
}

TEST_F(BlobUploadTest, GoesOnWhereItWasCut) {
  for (std::size_t at : {std::size_t{0}, std::size_t{1}, std::size_t{150'000}, kSize - 1}) {
    MiniRegistry server;
    bool cut = false;
    server.CutBodies([&](std::size_t, const ServedRequest& request) -> std::optional<std::size_t> {
      if (request.method != "PATCH" || cut) return std::nullopt;
      cut = true;
      return at;
    });
    Upload(server);
    EXPECT_TRUE(IsThere(server)) << at;
    std::size_t received = 0;
    for (const ServedRequest& request : server.requests()) received += request.body.size();
    // One byte cannot be told from none, as registries say it: then all is sent again.
    if (at != 1) {
      EXPECT_EQ(received, kSize) << at;
    }
    EXPECT_EQ(told_, kSize);
  }
}

TEST_F(BlobUploadTest, BeginsAnewWhereTheRegistryForgot) {
  MiniRegistry server({.keeps_cut_uploads = false});
  bool cut = false;
  server.CutBodies([&](std::size_t, const ServedRequest& request) -> std::optional<std::size_t> {
    if (request.method != "PATCH" || cut) return std::nullopt;
    cut = true;
    return 1000;
  });
  Upload(server);
  EXPECT_TRUE(IsThere(server));
}

TEST_F(BlobUploadTest, ALaterRunGoesOnToo) {
  MiniRegistry server;
  options_.max_failures = 1;
  server.CutBodies([&](std::size_t, const ServedRequest& request) -> std::optional<std::size_t> {
    return request.method == "PATCH" ? std::optional<std::size_t>(200'000) : std::nullopt;
  });
  EXPECT_THROW(Upload(server), specs::Error);
  server.CutBodies({});
  const std::size_t before = server.requests().size();
  Upload(server);
  EXPECT_TRUE(IsThere(server));
  std::size_t received = 0;
  const std::vector<ServedRequest> requests = server.requests();
  for (std::size_t i = before; i < requests.size(); ++i) received += requests[i].body.size();
  EXPECT_EQ(received, kSize - 200'000);
}

TEST_F(BlobUploadTest, ALostAnswerToTheEndIsNoSecondUpload) {
  MiniRegistry server;
  bool lost = false;
  server.CutBodies([&](std::size_t, const ServedRequest&) { return std::nullopt; });
  server.AnswerBy([&](std::size_t, const ServedRequest& request) -> std::optional<ServedResponse> {
    if (request.method != "PUT" || lost) return std::nullopt;
    lost = true;
    server.PutBlobLocked("team/app", bytes_);
    return ServedResponse{.status = 502};
  });
  Upload(server);
  EXPECT_TRUE(IsThere(server));
  std::size_t received = 0;
  for (const ServedRequest& request : server.requests()) received += request.body.size();
  EXPECT_EQ(received, kSize);
}

TEST_F(BlobUploadTest, GivesUpWhereNothingHelps) {
  for (int status : {403, 500}) {
    MiniRegistry server;
    server.AnswerBy(
        [&](std::size_t, const ServedRequest& request) -> std::optional<ServedResponse> {
          if (request.method == "HEAD" || request.method == "GET") return std::nullopt;
          return ServedResponse{.status = status};
        });
    EXPECT_THROW(Upload(server), specs::Error) << status;
    EXPECT_LT(server.requests().size(), 40u);
    EXPECT_FALSE(IsThere(server));
  }
}

TEST_F(BlobUploadTest, AChangedFileNeverCountsAsTheBlob) {
  MiniRegistry server;
  layers::WriteFileAtomically(blob_.file, Noise(kSize, 2));
  EXPECT_THROW(Upload(server), specs::Error);
  EXPECT_TRUE(server.blobs().empty());
}

}  // namespace
}  // namespace imgbuild::builder
