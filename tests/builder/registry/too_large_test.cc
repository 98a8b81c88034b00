// Registries, or proxies before them, that answer 413 and never said how much they take.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "builder/registry/blob_upload.h"
#include "layers/io/atomic_file.h"
#include "specs/base/error.h"
#include "tests/builder/registry/registry_fixture.h"

namespace imgbuild::builder {
namespace {

using support::MiniRegistry;
using support::ServedRequest;
using support::ServedResponse;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr std::size_t kMiB = 1u << 20;

class TooLargeTest : public RegistryFixture {
 protected:
  PushBlob Blob(std::size_t size, unsigned seed = 1) {
    const std::string bytes = Noise(size, seed);
    const auto file = folder_.path() / ("blob" + std::to_string(seed));
    layers::WriteFileAtomically(file, bytes);
    return {specs::HashOf(bytes), size, file};
  }

  static void RefuseMoreThan(MiniRegistry& server, std::size_t most) {
    server.AnswerBy(
        [most](std::size_t, const ServedRequest& request) -> std::optional<ServedResponse> {
          if (request.body.size() <= most) return std::nullopt;
          return ServedResponse{.status = 413, .headers = {}, .body = "<html>too large</html>"};
        });
  }

  void Upload(const MiniRegistry& server, const PushBlob& blob) {
    Registry registry = Open(server);
    told_ = 0;
    UploadBlob(
        registry, memory_, blob, [this](std::uint64_t bytes) { told_ += bytes; }, options_);
  }

  std::string MessageOfRefusal(const MiniRegistry& server, const PushBlob& blob) {
    try {
      Upload(server, blob);
    } catch (const specs::Error& error) {
      return error.what();
    }
    return "no error";
  }

  // Of what the requests had, from that one on, where they had something.
  static std::vector<std::size_t> Bodies(const MiniRegistry& server, std::size_t from = 0) {
    std::vector<std::size_t> sizes;
    const std::vector<ServedRequest> requests = server.requests();
    for (std::size_t i = from; i < requests.size(); ++i) {
      if (!requests[i].body.empty()) sizes.push_back(requests[i].body.size());
    }
    return sizes;
  }

  static bool Has(const MiniRegistry& server, const PushBlob& blob) {
    return server.blobs().contains("team/app@" + blob.digest.Oci());
  }

  // One failure would end it: a 413 is none as long as there is less to try.
  UploadOptions options_{.max_failures = 1, .backoff_ms = 1, .obtain = {}};
  std::uint64_t told_ = 0;
};

TEST_F(TooLargeTest, GoesOutInSmallerChunks) {
  MiniRegistry server;
  RefuseMoreThan(server, kMiB);
  const PushBlob blob = Blob(5 * kMiB + 3);
  Upload(server, blob);
  EXPECT_TRUE(Has(server, blob));
  EXPECT_EQ(told_, blob.size);
  EXPECT_THAT(Bodies(server), ElementsAre(5 * kMiB + 3, 4 * kMiB, 2 * kMiB, kMiB, kMiB, kMiB, kMiB,
                                          kMiB, std::size_t{3}));
  // The next blob begins with what was found out.
  const std::size_t before = server.requests().size();
  const PushBlob next = Blob(3 * kMiB, 2);
  Upload(server, next);
  EXPECT_TRUE(Has(server, next));
  EXPECT_THAT(Bodies(server, before), ElementsAre(kMiB, kMiB, kMiB));
}

TEST_F(TooLargeTest, SoDoesOneThatWentOutInASingleRequest) {
  MiniRegistry server;
  RefuseMoreThan(server, 2 * kMiB);
  const PushBlob blob = Blob(3 * kMiB);
  Upload(server, blob);
  EXPECT_TRUE(Has(server, blob));
  EXPECT_THAT(Bodies(server), ElementsAre(3 * kMiB, 2 * kMiB, kMiB));
}

// The registry itself wants larger chunks than the proxy before it lets through.
TEST_F(TooLargeTest, NothingSmallerThanTheRegistrysChunksGoesOut) {
  MiniRegistry server({.chunk_min = 2 * kMiB});
  RefuseMoreThan(server, kMiB);
  const PushBlob blob = Blob(5 * kMiB);
  EXPECT_THAT(MessageOfRefusal(server, blob),
              AllOf(HasSubstr("a blob of 5.2 MB in requests of 2.1 MB"), HasSubstr("answers 413"),
                    HasSubstr("client_max_body_size"), HasSubstr("image.max-layer-size")));
  EXPECT_THAT(Bodies(server), ElementsAre(5 * kMiB, 4 * kMiB, 2 * kMiB));
  EXPECT_FALSE(memory_.UnfinishedUpload(server.host() + "/team/app", blob.digest));
}

TEST_F(TooLargeTest, ABlobThatIsTooLargeAsAWholeIsToldAsSuch) {
  MiniRegistry server;
  server.AnswerBy([](std::size_t, const ServedRequest& request) -> std::optional<ServedResponse> {
    if (request.method != "PUT") return std::nullopt;
    return ServedResponse{.status = 413, .headers = {}, .body = {}};
  });
  const PushBlob blob = Blob(5 * kMiB);
  EXPECT_THAT(MessageOfRefusal(server, blob),
              AllOf(HasSubstr("a blob of 5.2 MB: "), HasSubstr("image.max-layer-size"),
                    Not(HasSubstr("in requests"))));
  EXPECT_THAT(Bodies(server), ElementsAre(5 * kMiB));
}

}  // namespace
}  // namespace imgbuild::builder
