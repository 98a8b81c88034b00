#include "builder/registry/registry_origin.h"

#include <algorithm>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "layers/image/layout.h"
#include "layers/io/file.h"
#include "layers/io/hashing.h"
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
using testing::HasSubstr;

class RegistryOriginTest : public RegistryFixture {
 protected:
  static std::string Link(const std::string& bytes, std::string_view type,
                          const std::string& more = "") {
    return R"({"mediaType":")" + std::string(type) + R"(","digest":")" +
           specs::HashOf(bytes).Oci() + R"(","size":)" + std::to_string(bytes.size()) + more + "}";
  }

  static std::string Manifest(const std::string& config, const std::vector<std::string>& layers) {
    std::string links;
    for (const std::string& layer : layers) {
      links += (links.empty() ? "" : ",") + Link(layer, specs::kOciLayerGzip);
    }
    return R"({"schemaVersion":2,"config":)" + Link(config, specs::kOciConfig) + R"(,"layers":[)" +
           links + "]}";
  }

  // An index of two platforms under "v1", as another tool pushed it.
  void Fill(MiniRegistry& server) const {
    for (const std::string& blob : {shared_, amd64_, arm64_, config_}) {
      server.PutBlob("team/app", blob);
    }
    server.PutManifest("team/app", "amd64", Manifest(config_, {shared_, amd64_}),
                       std::string(specs::kOciManifest));
    server.PutManifest("team/app", "arm64", Manifest(config_, {shared_, arm64_}),
                       std::string(specs::kOciManifest));
    server.PutManifest("team/app", "v1", Index(), std::string(specs::kOciIndex));
  }

  std::string Index() const {
    return R"({"schemaVersion":2,"manifests":[)" +
           Link(Manifest(config_, {shared_, amd64_}), specs::kOciManifest,
                R"(,"platform":{"os":"linux","architecture":"amd64"})") +
           "," +
           Link(Manifest(config_, {shared_, arm64_}), specs::kOciManifest,
                R"(,"platform":{"os":"linux","architecture":"arm64"})") +
           "]}";
  }

  RegistryOrigin Origin(const std::vector<const MiniRegistry*>& servers, layers::Store& store,
                        const std::string& reference, const Credentials& credentials = {},
                        DownHosts* down = nullptr) {
    std::vector<std::unique_ptr<Registry>> registries;
    for (const MiniRegistry* server : servers) {
      registries.push_back(std::make_unique<Registry>(client_,
                                                      Endpoint{.host = server->host(),
                                                               .repository = "team/app",
                                                               .transport = Transport::kFallback,
                                                               .tls = nullptr},
                                                      credentials, Access::kPull));
    }
    return RegistryOrigin(std::move(registries), store, reference, silent_,
                          {.jobs = 3,
                           .fetch = {.max_failures = 3, .backoff_ms = 1},
                           .stretch = 30'000,
                           .down = down});
  }

  static void RefuseAll(MiniRegistry& server) {
    server.AnswerBy([](std::size_t, const ServedRequest&) -> std::optional<ServedResponse> {
      return ServedResponse{.status = 503, .headers = {}, .body = {}};
    });
  }

  // How often it was asked for something of the repository.
  static std::size_t Asked(const MiniRegistry& server) {
    const std::vector<ServedRequest> requests = server.requests();
    return static_cast<std::size_t>(
        std::ranges::count_if(requests, [](const ServedRequest& request) {
          return request.target.find("/team/app/") != std::string::npos;
        }));
  }

  // Everything is in the store, right, and can be written.
  void ExpectWhole(const layers::ImageSource& image) const {
    EXPECT_EQ(image.root().digest, specs::HashOf(Index()));
    EXPECT_EQ(image.documents.size(), 3u);
    EXPECT_EQ(image.blobs.size(), 4u);
    for (const layers::SourceBlob& blob : image.blobs) {
      EXPECT_EQ(layers::HashFile(blob.path), blob.descriptor.digest);
    }
  }

  const std::string shared_ = Noise(200'000, 1);
  const std::string amd64_ = Noise(50'000, 2);
  const std::string arm64_ = Noise(60'000, 3);
  const std::string config_ = R"({"os":"linux","architecture":"amd64"})";
  layers::Store store_{folder_.path() / "cache"};
  support::QuietProgress silent_;
};

TEST_F(RegistryOriginTest, WholeThenTheRootAlone) {
  MiniRegistry server;
  Fill(server);
  RegistryOrigin origin = Origin({&server}, store_, "v1");
  ExpectWhole(layers::ReadImage(origin));
  EXPECT_EQ(origin.result().fetched, 4u);
  EXPECT_EQ(origin.result().bytes_received,
            shared_.size() + amd64_.size() + arm64_.size() + config_.size());
  const std::size_t before = server.requests().size();
  RegistryOrigin again = Origin({&server}, store_, "v1");
  ExpectWhole(layers::ReadImage(again));
  EXPECT_EQ(again.result().present, 4u);
  EXPECT_LE(server.requests().size(), before + 2);  // "is it there at all", the tag
}

TEST_F(RegistryOriginTest, OnePlatformAndByDigest) {
  MiniRegistry server;
  Fill(server);
  RegistryOrigin origin = Origin({&server}, store_, specs::HashOf(Index()).Oci());
  const layers::ImageSource image = layers::ReadImage(origin, "linux/arm64");
  EXPECT_EQ(image.documents.size(), 1u);
  EXPECT_EQ(origin.result().fetched, 3u);
  EXPECT_FALSE(store_.FindBlob(specs::HashOf(amd64_), amd64_.size()));
}

TEST_F(RegistryOriginTest, WhatTheStoreHasWronglyIsFetchedAgain) {
  MiniRegistry server;
  Fill(server);
  const std::string manifest = Manifest(config_, {shared_, amd64_});
  store_.PutBlob(specs::HashOf(manifest), std::string(manifest.size(), 'x'));
  store_.PutBlob(specs::HashOf(shared_), "of another size");
  RegistryOrigin origin = Origin({&server}, store_, "v1");
  ExpectWhole(layers::ReadImage(origin));
}

TEST_F(RegistryOriginTest, AMissingTagSaysHowToFindOthers) {
  MiniRegistry server;
  Fill(server);
  RegistryOrigin origin = Origin({&server}, store_, "v2");
  try {
    origin.Root();
    ADD_FAILURE();
  } catch (const specs::Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("no tag v2"));
    EXPECT_THAT(error.what(), HasSubstr("imgbuild tags"));
  }
}

TEST_F(RegistryOriginTest, MirrorsFirstThenWhatTheyLack) {
  MiniRegistry mirror;
  MiniRegistry server;
  Fill(server);
  mirror.PutBlob("team/app", amd64_);
  mirror.PutManifest("team/app", "v1", Index(), std::string(specs::kOciIndex));
  RegistryOrigin origin = Origin({&mirror, &server}, store_, "v1");
  ExpectWhole(layers::ReadImage(origin));
  EXPECT_EQ(origin.registry().endpoint().host, mirror.host());
  for (const ServedRequest& request : server.requests()) {
    EXPECT_THAT(request.target, testing::Not(HasSubstr(specs::HashOf(amd64_).Hex())));
  }
  MiniRegistry empty;
  support::TempFolder other;
  layers::Store store(other.path());
  RegistryOrigin from_second = Origin({&empty, &server}, store, "v1");
  ExpectWhole(layers::ReadImage(from_second));
  EXPECT_EQ(from_second.registry().endpoint().host, server.host());
}

TEST_F(RegistryOriginTest, AMirrorThatIsDownIsTriedOnceForAllImages) {
  MiniRegistry mirror;
  MiniRegistry server;
  RefuseAll(mirror);
  Fill(server);
  DownHosts down;
  for (const char* reference : {"v1", "amd64"}) {
    RegistryOrigin origin = Origin({&mirror, &server}, store_, reference, {}, &down);
    EXPECT_NO_THROW((void)layers::ReadImage(origin)) << reference;
    EXPECT_EQ(origin.registry().endpoint().host, server.host());
  }
  EXPECT_EQ(Asked(mirror), 1u);
  EXPECT_TRUE(down.Has(mirror.host()));
  EXPECT_FALSE(down.Has(server.host()));
  // Where nothing else is left, it is asked.
  Fill(mirror);
  mirror.AnswerBy(nullptr);
  support::TempFolder other;
  layers::Store store(other.path());
  RegistryOrigin alone = Origin({&mirror}, store, "v1", {}, &down);
  ExpectWhole(layers::ReadImage(alone));
}

// One that is asked for what the first lacks: once by each transfer that runs when it turns out.
TEST_F(RegistryOriginTest, ALaterMirrorThatIsDownIsNotAskedForEveryBlob) {
  MiniRegistry first;
  MiniRegistry second;
  MiniRegistry server;
  Fill(first);
  Fill(server);
  first.AnswerBy([](std::size_t, const ServedRequest& request) -> std::optional<ServedResponse> {
    if (request.target.find("/blobs/") == std::string::npos) return std::nullopt;
    return ServedResponse{.status = 404, .headers = {}, .body = {}};
  });
  RefuseAll(second);
  RegistryOrigin origin = Origin({&first, &second, &server}, store_, "v1");
  ExpectWhole(layers::ReadImage(origin));
  EXPECT_EQ(origin.registry().endpoint().host, first.host());
  EXPECT_GE(Asked(second), 1u);
  EXPECT_LE(Asked(second), 3u);  // PullOptions::jobs
}

TEST_F(RegistryOriginTest, AMirrorThatAnsweredIsTriedAgain) {
  MiniRegistry mirror;
  MiniRegistry server;
  Fill(mirror);
  Fill(server);
  int refused = 0;
  mirror.AnswerBy([&](std::size_t, const ServedRequest& request) -> std::optional<ServedResponse> {
    const bool is_layer = request.target.find(specs::HashOf(shared_).Hex()) != std::string::npos;
    if (!is_layer || ++refused > 1) return std::nullopt;
    return ServedResponse{.status = 503, .headers = {}, .body = {}};
  });
  RegistryOrigin origin = Origin({&mirror, &server}, store_, "v1");
  ExpectWhole(layers::ReadImage(origin));
  EXPECT_EQ(refused, 2);
  EXPECT_EQ(Asked(server), 0u);
}

// A fault at each request of a pull, of every kind: it ends in the whole image or an error, and
// never in a wrong blob.
TEST_F(RegistryOriginTest, FaultsAtEveryRequest) {
  std::size_t requests = 0;
  {
    MiniRegistry server({.login = RegistryLogin::kToken});
    Fill(server);
    support::TempFolder cache;
    layers::Store store(cache.path());
    RegistryOrigin origin = Origin({&server}, store, "v1", Ann());
    ExpectWhole(layers::ReadImage(origin));
    requests = server.requests().size();
  }
  ASSERT_GE(requests, 9u);
  int runs = 0;
  int whole = 0;
  std::mt19937 random(7);
  for (std::size_t number = 0; number < requests; ++number) {
    for (int fault = 0; fault < 12; ++fault) {
      support::TempFolder cache;
      layers::Store store(cache.path());
      MiniRegistry server({.login = RegistryLogin::kToken});
      Fill(server);
      const std::size_t at_byte = random() % 60'000;
      server.AnswerBy([=, this](std::size_t at,
                                const ServedRequest& request) -> std::optional<ServedResponse> {
        if (at != number) return std::nullopt;
        std::string body = shared_;
        body[at_byte] ^= 1;
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
            return ServedResponse{.body = "<html>log in</html>"};
          case 5:
            return ServedResponse{.status = 307, .headers = {{"Location", "/nowhere"}}};
          case 6:
            return ServedResponse{.headers = {{"Docker-Content-Digest", "sha256:0"}}, .body = "{}"};
          case 7:
            return ServedResponse{.body = body};
          case 8:
            return ServedResponse{.body = shared_, .cut_after = at_byte};
          case 9:
            return ServedResponse{.body = shared_, .cut_after = 0};
          case 10:
            return ServedResponse{
                .status = 206, .headers = {{"Content-Range", "bytes 7-11/12"}}, .body = "wrong"};
          default:
            return ServedResponse{.status = request.target.find("/blobs/") ? 404 : 400};
        }
      });
      ++runs;
      try {
        RegistryOrigin origin = Origin({&server}, store, "v1", Ann());
        ExpectWhole(layers::ReadImage(origin));
        ++whole;
      } catch (const specs::Error&) {
      }
      EXPECT_TRUE(store.Verify().empty()) << "request " << number << ", fault " << fault;
    }
  }
  EXPECT_GE(runs, 100);
  EXPECT_GT(whole, runs / 3);
}

// Layers as they come, for whoever keeps none of them.
class ReadAsTheyCome : public RegistryOriginTest {
 protected:
  specs::Descriptor Layer(const std::string& bytes) const {
    return {.media_type = std::string(specs::kOciLayerGzip),
            .digest = specs::HashOf(bytes),
            .size = bytes.size(),
            .platform = {},
            .annotations = {}};
  }

  // What came of each of these.
  std::vector<std::string> Read(RegistryOrigin& origin, const std::vector<std::string>& blobs) {
    std::vector<specs::Descriptor> wanted;
    for (const std::string& blob : blobs) wanted.push_back(Layer(blob));
    std::vector<std::string> found(blobs.size());
    origin.Read(wanted,
                [&](std::size_t i, layers::Source& source) { found[i] = layers::ReadAll(source); });
    return found;
  }

  bool IsKept(const std::string& blob) {
    return store_.FindBlob(specs::HashOf(blob), blob.size()).has_value();
  }

  static std::size_t RangesIn(const MiniRegistry& server) {
    std::size_t count = 0;
    for (const ServedRequest& request : server.requests()) count += request.headers.count("range");
    return count;
  }
};

TEST_F(ReadAsTheyCome, InStretchesAndNoneIsKept) {
  MiniRegistry server;
  Fill(server);
  server.PutBlob("team/app", "");
  RegistryOrigin origin = Origin({&server}, store_, "v1");
  const std::vector<std::string> blobs = {amd64_, shared_, config_, ""};
  EXPECT_EQ(Read(origin, blobs), blobs);
  EXPECT_EQ(origin.result().bytes_received, amd64_.size() + shared_.size() + config_.size());
  EXPECT_EQ(RangesIn(server), 2u + 7u);
  for (const std::string& blob : {amd64_, shared_}) EXPECT_FALSE(IsKept(blob));
}

TEST_F(ReadAsTheyCome, WhatTheStoreHasIsNotAskedFor) {
  MiniRegistry server;
  Fill(server);
  store_.PutBlob(specs::HashOf(shared_), shared_);
  RegistryOrigin origin = Origin({&server}, store_, "v1");
  EXPECT_EQ(Read(origin, {shared_}), std::vector{shared_});
  EXPECT_THAT(server.requests(), testing::IsEmpty());
}

// One stretch that is cut off comes again, alone.
TEST_F(ReadAsTheyCome, ACutStretchComesAgain) {
  MiniRegistry server;
  Fill(server);
  int cuts = 0;
  server.AnswerBy([&](std::size_t, const ServedRequest& request) -> std::optional<ServedResponse> {
    const auto range = request.headers.find("range");
    if (range == request.headers.end() || range->second != "bytes=60000-89999" || ++cuts > 1) {
      return std::nullopt;
    }
    ServedResponse answer = support::ServeBytes(request, shared_);
    answer.cut_after = 1000;
    return answer;
  });
  RegistryOrigin origin = Origin({&server}, store_, "v1");
  EXPECT_EQ(Read(origin, {shared_}), std::vector{shared_});
  EXPECT_EQ(cuts, 2);
  EXPECT_EQ(RangesIn(server), 8u);
}

// A registry that knows no ranges gives the whole once, by way of the store.
TEST_F(ReadAsTheyCome, WithoutRangesByWayOfTheStore) {
  MiniRegistry server;
  Fill(server);
  server.AnswerBy([&](std::size_t, const ServedRequest& request) -> std::optional<ServedResponse> {
    if (request.target.find("/blobs/") == std::string::npos) return std::nullopt;
    return ServedResponse{.status = 200, .headers = {}, .body = shared_};
  });
  RegistryOrigin origin = Origin({&server}, store_, "v1");
  EXPECT_EQ(Read(origin, {shared_}), std::vector{shared_});
  EXPECT_TRUE(IsKept(shared_));
}

TEST_F(ReadAsTheyCome, WrongStretchesAndWhatIsNotThereAreErrors) {
  MiniRegistry server;
  Fill(server);
  RegistryOrigin origin = Origin({&server}, store_, "v1");
  EXPECT_THROW(Read(origin, {"nobody has this"}), specs::Error);
  server.AnswerBy([&](std::size_t, const ServedRequest& request) -> std::optional<ServedResponse> {
    if (request.target.find("/blobs/") == std::string::npos) return std::nullopt;
    return ServedResponse{.status = 206,
                          .headers = {{"Content-Range", "bytes 7-30006/200000"}},
                          .body = shared_.substr(7, 30'000)};
  });
  EXPECT_THROW(Read(origin, {shared_}), specs::Error);
  // More than was asked for is no answer either.
  server.AnswerBy([&](std::size_t, const ServedRequest& request) -> std::optional<ServedResponse> {
    if (request.target.find("/blobs/") == std::string::npos) return std::nullopt;
    return ServedResponse{
        .status = 206, .headers = {{"Content-Range", "bytes 0-199999/200000"}}, .body = shared_};
  });
  EXPECT_THROW(Read(origin, {shared_}), specs::Error);
}

// A mirror that lost a layer does not end it: the registry itself has it.
TEST_F(ReadAsTheyCome, FromTheNextWhereAMirrorLacksIt) {
  MiniRegistry mirror;
  MiniRegistry server;
  Fill(mirror);
  Fill(server);
  mirror.AnswerBy([&](std::size_t, const ServedRequest& request) -> std::optional<ServedResponse> {
    if (request.target.find("/blobs/") == std::string::npos) return std::nullopt;
    return ServedResponse{.status = 404, .headers = {}, .body = {}};
  });
  RegistryOrigin origin = Origin({&mirror, &server}, store_, "v1");
  EXPECT_EQ(Read(origin, {shared_}), std::vector{shared_});
}

}  // namespace
}  // namespace imgbuild::builder
