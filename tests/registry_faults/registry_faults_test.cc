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
#include "builder/registry/referrers.h"
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

// What an error says of the fault, a regular expression; nullptr where the fault is got over.
const char* WordsOf(Fault fault) {
  switch (fault) {
    case Fault::kUnauthorized:
      return "refuses access";
    case Fault::kRedirect:
      return "answers 307";
    case Fault::kCorruptUpload:
      return "cannot put a manifest";
    case Fault::kCorruptAnswer:  // of a manifest, by its tag or by its digest
      return "manifest (is not what the registry says of it|has another digest)";
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
    image_.documents = {Manifest("amd64", {400, 30'000, 200'000})};
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

  static layers::SourceDocument Document(std::string_view type, const std::string& bytes) {
    return {{.media_type = std::string(type),
             .digest = specs::HashOf(bytes),
             .size = bytes.size(),
             .platform = {},
             .annotations = {}},
            bytes};
  }

  // Over layers of so much noise, which are blobs of the image from now on.
  layers::SourceDocument Manifest(const std::string& architecture,
                                  const std::vector<std::size_t>& sizes) {
    std::string links;
    for (std::size_t size : sizes) {
      std::mt19937 noise(static_cast<unsigned>(size));
      std::string bytes(size, ' ');
      for (char& byte : bytes) byte = static_cast<char>(noise());
      const specs::Descriptor layer = Blob(bytes, specs::kOciLayerGzip);
      links +=
          fmt::format(R"({}{{"mediaType":"{}","digest":"{}","size":{}}})", links.empty() ? "" : ",",
                      layer.media_type, layer.digest.Oci(), layer.size);
    }
    const specs::Descriptor config = Blob(
        fmt::format(R"({{"os":"linux","architecture":"{}"}})", architecture), specs::kOciConfig);
    return Document(
        specs::kOciManifest,
        fmt::format(
            R"({{"schemaVersion":2,"mediaType":"{}","config":{{"mediaType":"{}","digest":"{}","size":{}}},"layers":[{}]}})",
            specs::kOciManifest, config.media_type, config.digest.Oci(), config.size, links));
  }

  // In place of the image one of two platforms, with little in them.
  void MakeIndex() {
    image_ = {};
    std::string links;
    for (const std::string architecture : {"amd64", "arm64"}) {
      image_.documents.push_back(Manifest(architecture, {400 + image_.documents.size()}));
      const specs::Descriptor& manifest = image_.documents.back().descriptor;
      links += fmt::format(
          R"({}{{"mediaType":"{}","digest":"{}","size":{},"platform":{{"os":"linux","architecture":"{}"}}}})",
          links.empty() ? "" : ",", manifest.media_type, manifest.digest.Oci(), manifest.size,
          architecture);
    }
    image_.documents.push_back(Document(
        specs::kOciIndex, fmt::format(R"({{"schemaVersion":2,"mediaType":"{}","manifests":[{}]}})",
                                      specs::kOciIndex, links)));
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
    for (const layers::SourceDocument& document : image_.documents) {
      EXPECT_NO_THROW((void)builder::FetchManifest(*registry, document.descriptor));
    }
    support::TempFolder place;
    layers::Store store(place.path());
    for (const layers::SourceBlob& blob : image_.blobs) {
      EXPECT_NO_THROW(builder::FetchBlob(*registry, store, blob.descriptor, [](std::uint64_t) {}));
    }
    return true;
  }

  void Push(const std::string& repository, builder::PushMemory& memory) {
    PushTo(*Open(proxy_->host(), repository), memory);
  }
  void PushTo(Registry& registry, builder::PushMemory& memory) {
    builder::PushImage(registry, memory, image_,
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
    EXPECT_EQ(pulled.documents.size(), image_.documents.size());
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
    EXPECT_THAT(error.what(), testing::ContainsRegex(words));
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

  Tally PushWithFaults();
  Tally PullWithFaults();

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

Tally RegistryFaults::PushWithFaults() {
  return AtEachRequest([&](const std::string& name, Fault fault) {
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
}

Tally RegistryFaults::PullWithFaults() {
  {
    support::TempFolder place;
    builder::PushMemory memory(place.path());
    Push("team/app", memory);
  }
  return AtEachRequest([&](const std::string&, Fault fault) {
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
}

TEST_F(RegistryFaults, Pushes) { Judge(PushWithFaults(), 200); }

TEST_F(RegistryFaults, Pulls) { Judge(PullWithFaults(), 75); }

// Of an index the requests for manifests: those for blobs are as above.
TEST_F(RegistryFaults, PushesOfAnIndex) {
  MakeIndex();
  proxy_->SpoilOnly("/manifests/");
  Judge(PushWithFaults(), 60);
}

TEST_F(RegistryFaults, PullsOfAnIndex) {
  MakeIndex();
  proxy_->SpoilOnly("/manifests/");
  Judge(PullWithFaults(), 45);
}

// What is attached to an image joins what others attached, in the index under the tag that stands
// in for a list; whatever happens, none of that is lost.
TEST_F(RegistryFaults, Referrers) {
  MakeIndex();
  const auto attached = [&](std::size_t document) {
    return builder::Referrer{image_.documents[document].descriptor, "application/x-sbom"};
  };
  const specs::Sha256 subject = image_.root().digest;
  support::TempFolder place;
  builder::PushMemory memory(place.path());
  const Tally tally = AtEachRequest([&](const std::string& name, Fault fault) {
    const auto direct = Open(Direct(), name + "/app");
    PushTo(*direct, memory);
    builder::PublishReferrers(*direct, subject, {attached(0)});
    const std::vector<builder::Referrer> both = {attached(0), attached(1)};
    Attempt attempt;
    try {
      const auto spoiled = Open(proxy_->host(), name + "/app");
      builder::PublishReferrers(*spoiled, subject, {attached(1)});
      EXPECT_EQ(builder::ListReferrers(*spoiled, subject), both);
      attempt.succeeded = true;
    } catch (const specs::Error& error) {
      ExpectClear(error, fault);
    }
    attempt.spoiled = proxy_->spoiled();
    EXPECT_THAT(builder::ListReferrers(*direct, subject), testing::Contains(attached(0)));
    builder::PublishReferrers(*direct, subject, {attached(1)});
    EXPECT_EQ(builder::ListReferrers(*direct, subject), both);
    return attempt;
  });
  Judge(tally, 75);
}

}  // namespace
}  // namespace imgbuild
