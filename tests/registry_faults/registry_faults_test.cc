// Every request of a push and of a pull meets every fault: what comes of it is the right image or
// an error, and the next try without the fault succeeds.
#include <fstream>
#include <random>

#include <fmt/core.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "builder/net/curl_client.h"
#include "builder/registry/blob_fetch.h"
#include "builder/registry/manifest_fetch.h"
#include "builder/registry/push.h"
#include "builder/registry/registry_origin.h"
#include "layers/image/image_origin.h"
#include "layers/io/hashing.h"
#include "specs/base/error.h"
#include "specs/oci/media_types.h"
#include "tests/registry_faults/docker_registry.h"
#include "tests/support/fault_proxy.h"
#include "tests/support/quiet_progress.h"
#include "tests/support/temp_folder.h"

namespace imgbuild {
namespace {

using builder::Registry;
using support::Fault;

// A run that takes longer hangs; the alarm ends the whole program, which the test's runner tells.
constexpr unsigned kLongestRun = 60;  // seconds

class RegistryFaults : public testing::Test {
 protected:
  void SetUp() override {
    if (!DockerRegistry::IsThere()) GTEST_SKIP() << "docker-registry is not installed";
    server_.emplace(folder_.path());
    proxy_.emplace(server_->port());
    MakeImage();
  }
  void TearDown() override { alarm(0); }

  specs::Descriptor Blob(const std::string& bytes, std::string_view type) {
    specs::Descriptor descriptor{.media_type = std::string(type),
                                 .digest = specs::HashOf(bytes),
                                 .size = bytes.size(),
                                 .platform = {},
                                 .annotations = {}};
    const auto file = folder_.path() / descriptor.digest.Hex();
    std::ofstream(file) << bytes;
    image_.blobs.push_back({descriptor, file});
    return descriptor;
  }

  void MakeImage() {
    std::string links;
    for (std::size_t size : {400u, 30'000u, 200'000u}) {
      std::mt19937 noise(static_cast<unsigned>(size));
      std::string bytes(size, ' ');
      for (char& byte : bytes) byte = static_cast<char>(noise());
      const specs::Descriptor layer = Blob(bytes, specs::kOciLayerGzip);
      links +=
          fmt::format(R"({}{{"mediaType":"{}","digest":"{}","size":{}}})", links.empty() ? "" : ",",
                      layer.media_type, layer.digest.Oci(), layer.size);
    }
    const specs::Descriptor config =
        Blob(R"({"os":"linux","architecture":"amd64"})", specs::kOciConfig);
    const std::string manifest = fmt::format(
        R"({{"schemaVersion":2,"mediaType":"{}","config":{{"mediaType":"{}","digest":"{}","size":{}}},"layers":[{}]}})",
        specs::kOciManifest, config.media_type, config.digest.Oci(), config.size, links);
    image_.documents.push_back({{.media_type = std::string(specs::kOciManifest),
                                 .digest = specs::HashOf(manifest),
                                 .size = manifest.size(),
                                 .platform = {},
                                 .annotations = {}},
                                manifest});
  }

  std::unique_ptr<Registry> Open(const std::string& host, const std::string& repository) {
    return std::make_unique<Registry>(client_,
                                      builder::Endpoint{.host = host,
                                                        .repository = repository,
                                                        .transport = builder::Transport::kFallback,
                                                        .tls = nullptr},
                                      builder::Credentials{}, builder::Access::kPush);
  }
  std::string Direct() const { return fmt::format("127.0.0.1:{}", server_->port()); }

  // Whether the tag is there; where it is, all of the image has to be.
  bool IsTagged(const std::string& repository) {
    const auto registry = Open(Direct(), repository);
    const auto manifest = builder::FetchManifest(*registry, "latest");
    if (!manifest) return false;
    EXPECT_EQ(manifest->bytes, image_.documents.back().bytes);
    support::TempFolder place;
    layers::Store store(place.path());
    for (const layers::SourceBlob& blob : image_.blobs) {
      EXPECT_NO_THROW(builder::FetchBlob(*registry, store, blob.descriptor, [](std::uint64_t) {}));
    }
    return true;
  }

  void Push(const std::string& repository, builder::PushMemory& memory) {
    const auto registry = Open(proxy_->host(), repository);
    builder::PushImage(*registry, memory, image_,
                       {.tags = {"latest"},
                        .jobs = 2,
                        .upload = {.max_failures = 4, .backoff_ms = 1, .resumable_size = 20'000}},
                       silent_);
  }

  void Pull(const std::string& repository, layers::Store& store) {
    std::vector<std::unique_ptr<Registry>> registries;
    registries.push_back(Open(proxy_->host(), repository));
    builder::RegistryOrigin origin(std::move(registries), store, "latest", silent_,
                                   {.jobs = 2, .fetch = {.max_failures = 4, .backoff_ms = 1}});
    const layers::ImageSource pulled = layers::ReadImage(origin);
    EXPECT_EQ(pulled.documents.back().bytes, image_.documents.back().bytes);
    ASSERT_EQ(pulled.blobs.size(), image_.blobs.size());
    for (const layers::SourceBlob& blob : pulled.blobs) {
      EXPECT_EQ(layers::HashFile(blob.path), blob.descriptor.digest);
    }
  }

  // `run(name)` for each request of a sound run and each fault; how many runs there were.
  template <typename Run>
  std::size_t AtEachRequest(Run&& run) {
    proxy_->SpoilNothing();
    run("sound");
    const std::size_t requests = requests_;
    std::mt19937 random(11);
    std::size_t spoiled = 0;
    for (std::size_t number = 0; number < requests; ++number) {
      for (int fault = 0; fault <= static_cast<int>(support::kLastFault); ++fault) {
        SCOPED_TRACE(fmt::format("{} at request {}", support::Name(Fault(fault)), number));
        alarm(kLongestRun);
        proxy_->Spoil(number, Fault(fault), random());
        run(fmt::format("run{}-{}", number, fault));
        ++spoiled;
        if (HasFailure()) return spoiled;
      }
    }
    return spoiled;
  }

  support::TempFolder folder_;
  std::optional<DockerRegistry> server_;
  std::optional<support::FaultProxy> proxy_;
  builder::CurlClient client_{{.user_agent = "test", .max_tries = 2, .backoff_ms = 1}};
  support::QuietProgress silent_;
  layers::ImageSource image_;
  std::size_t requests_ = 0;  // of the last run that could be spoiled
};

TEST_F(RegistryFaults, Pushes) {
  std::size_t failed = 0;
  const std::size_t runs = AtEachRequest([&](const std::string& name) {
    const std::string repository = name + "/app";
    support::TempFolder place;
    builder::PushMemory memory(place.path());
    bool pushed = false;
    try {
      Push(repository, memory);
      pushed = true;
    } catch (const specs::Error& error) {
      EXPECT_FALSE(error.message().empty());
      ++failed;
    }
    // A tag on less than all of it is what must never be.
    const bool tagged = IsTagged(repository);
    if (pushed) {
      EXPECT_TRUE(tagged);
    }
    requests_ = proxy_->requests();
    proxy_->SpoilNothing();
    EXPECT_NO_THROW(Push(repository, memory));
    EXPECT_TRUE(IsTagged(repository));
  });
  EXPECT_GE(runs, 200u);
  EXPECT_LT(failed, runs / 3);  // most faults are got over
  RecordProperty("runs", static_cast<int>(runs));
  RecordProperty("failed", static_cast<int>(failed));
}

TEST_F(RegistryFaults, Pulls) {
  {
    support::TempFolder place;
    builder::PushMemory memory(place.path());
    Push("team/app", memory);
  }
  std::size_t failed = 0;
  const std::size_t runs = AtEachRequest([&](const std::string&) {
    support::TempFolder place;
    layers::Store store(place.path());
    try {
      Pull("team/app", store);
    } catch (const specs::Error& error) {
      EXPECT_FALSE(error.message().empty());
      ++failed;
    }
    requests_ = proxy_->requests();
    proxy_->SpoilNothing();
    EXPECT_NO_THROW(Pull("team/app", store));
  });
  EXPECT_GE(runs, 75u);
  EXPECT_LT(failed, runs / 3);
  RecordProperty("runs", static_cast<int>(runs));
  RecordProperty("failed", static_cast<int>(failed));
}

}  // namespace
}  // namespace imgbuild
