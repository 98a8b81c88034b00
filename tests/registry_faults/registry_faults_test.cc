// Every request of a push and of a pull meets every fault that it can: what comes of it is the
// right image, or for faults that stay an error that says so, and the next try without the fault
// succeeds.
#include <cstdlib>
#include <fstream>
#include <random>
#include <vector>

#include <fmt/core.h>
#include <gmock/gmock.h>
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
constexpr unsigned kSeed = 11;
constexpr std::size_t kMostRequests = 100;

struct Attempt {
  bool spoiled = false;    // the fault met a request
  bool succeeded = false;  // all the same
};

struct Tally {
  std::size_t spoiled = 0;
  std::size_t failed = 0;
};

// With FAULTS=cuts those alone that a registry with resumable uploads tells from others.
bool CutsAlone() { return std::getenv("FAULTS") != nullptr; }

std::vector<Fault> Faults() {
  if (CutsAlone()) {
    return {Fault::kResetBefore, Fault::kLostAnswer, Fault::kCutUpload, Fault::kSilentUpload,
            Fault::kCutAnswer};
  }
  std::vector<Fault> all;
  for (int i = 0; i <= static_cast<int>(support::kLastFault); ++i) {
    all.push_back(static_cast<Fault>(i));
  }
  return all;
}

// What an error says of the fault; nullptr where the fault is got over.
const char* WordsOf(Fault fault) {
  switch (fault) {
    case Fault::kUnauthorized:
      return "refuses access";
    case Fault::kRedirect:
      return "answers 307";
    case Fault::kCorruptUpload:
      return "cannot put a manifest";
    case Fault::kCorruptAnswer:
    case Fault::kWrongDigest:
      return "not what the registry says of it";
    case Fault::kForeignLocation:
      return "to another host";
    default:
      return nullptr;
  }
}

// Where in a body a fault happens.
std::vector<double> PlacesOf(Fault fault, std::mt19937& random) {
  std::uniform_real_distribution<double> somewhere(0, 1);
  if (fault == Fault::kCutUpload || fault == Fault::kCutAnswer) {
    return {0, 0.5, 1, somewhere(random), somewhere(random), somewhere(random)};
  }
  return {support::IsAtAByte(fault) ? somewhere(random) : 0};
}

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

  // What a user reads: which registry, what it did, and that the command was no mistake.
  void ExpectClear(const specs::Error& error, Fault fault) const {
    const char* words = WordsOf(fault);
    ASSERT_NE(words, nullptr) << error.what();
    EXPECT_THAT(error.what(), testing::HasSubstr(words));
    EXPECT_THAT(error.what(), testing::HasSubstr(proxy_->host()));
    const bool lies = fault == Fault::kWrongDigest || fault == Fault::kCorruptAnswer;
    EXPECT_EQ(error.kind(), lies ? specs::ErrorKind::kVerification : specs::ErrorKind::kFailure);
  }

  // `run(name, fault)`, an Attempt, with each fault at each request that it can spoil.
  template <typename Run>
  Tally AtEachRequest(Run&& run) {
    Tally tally;
    std::mt19937 random(kSeed);
    int runs = 0;
    for (Fault fault : Faults()) {
      for (double where : PlacesOf(fault, random)) {
        for (std::size_t number = 0; number < kMostRequests; ++number) {
          SCOPED_TRACE(fmt::format("{} at request {}, at {} of its bytes, with seed {}",
                                   support::Name(fault), number, where, kSeed));
          alarm(kLongestRun);
          proxy_->Spoil(number, fault, where);
          const Attempt attempt = run(fmt::format("run{}", ++runs), fault);
          if (HasFailure()) return tally;
          if (!attempt.spoiled) break;  // there are no more requests
          ++tally.spoiled;
          if (!attempt.succeeded) ++tally.failed;
        }
      }
    }
    return tally;
  }

  // `least` runs with all faults, else a part of them.
  void Judge(const Tally& tally, std::size_t least) {
    fmt::print("{} runs were spoiled, of which {} ended in an error\n", tally.spoiled,
               tally.failed);
    EXPECT_GE(tally.spoiled, CutsAlone() ? least / 4 : least);
  }

  support::TempFolder folder_;
  std::optional<DockerRegistry> server_;
  std::optional<support::FaultProxy> proxy_;
  builder::CurlClient client_{
      {.user_agent = "test", .max_tries = 2, .backoff_ms = 1, .stall_timeout_s = 1}};
  support::QuietProgress silent_;
  layers::ImageSource image_;
};

TEST_F(RegistryFaults, Pushes) {
  const Tally tally = AtEachRequest([&](const std::string& name, Fault fault) {
    const std::string repository = name + "/app";
    support::TempFolder place;
    builder::PushMemory memory(place.path());
    Attempt attempt;
    try {
      Push(repository, memory);
      attempt.succeeded = true;
    } catch (const specs::Error& error) {
      ExpectClear(error, fault);
    }
    attempt.spoiled = proxy_->spoiled();
    // A tag on less than all of it is what must never be.
    const bool tagged = IsTagged(repository);
    if (attempt.succeeded) {
      EXPECT_TRUE(tagged);
    }
    proxy_->SpoilNothing();
    EXPECT_NO_THROW(Push(repository, memory));
    EXPECT_TRUE(IsTagged(repository));
    return attempt;
  });
  Judge(tally, 200);
}

TEST_F(RegistryFaults, Pulls) {
  {
    support::TempFolder place;
    builder::PushMemory memory(place.path());
    Push("team/app", memory);
  }
  const Tally tally = AtEachRequest([&](const std::string&, Fault fault) {
    support::TempFolder place;
    layers::Store store(place.path());
    Attempt attempt;
    try {
      Pull("team/app", store);
      attempt.succeeded = true;
    } catch (const specs::Error& error) {
      ExpectClear(error, fault);
    }
    attempt.spoiled = proxy_->spoiled();
    proxy_->SpoilNothing();
    EXPECT_NO_THROW(Pull("team/app", store));
    return attempt;
  });
  Judge(tally, 75);
}

}  // namespace
}  // namespace imgbuild
