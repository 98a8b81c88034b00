// A registry, or its token server, that asks to be left alone for a second (Retry-After: RFC 9110,
// 10.2.3) is, whatever it was asked.
#include <chrono>
#include <future>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "builder/registry/push.h"
#include "builder/registry/registry_origin.h"
#include "layers/io/atomic_file.h"
#include "layers/store/store.h"
#include "specs/oci/media_types.h"
#include "tests/builder/registry/registry_fixture.h"
#include "tests/support/quiet_progress.h"

namespace imgbuild::builder {
namespace {

using support::MiniRegistry;
using support::RegistryLogin;
using support::ServedRequest;
using support::ServedResponse;

// Of requests, by a part of their target.
struct RequestKind {
  std::string method;
  std::string part;
};

// An image of one blob, so that no request goes beside another.
layers::ImageSource SmallImage(const std::filesystem::path& file) {
  const std::string config = R"({"os":"linux","architecture":"amd64"})";
  layers::WriteFileAtomically(file, config);
  const auto described = [](std::string_view type, const std::string& bytes) {
    return specs::Descriptor{.media_type = std::string(type),
                             .digest = specs::HashOf(bytes),
                             .size = bytes.size(),
                             .platform = {},
                             .annotations = {}};
  };
  layers::ImageSource image;
  image.blobs.push_back({described(specs::kOciConfig, config), file});
  const std::string manifest = R"({"schemaVersion":2,"mediaType":")" +
                               std::string(specs::kOciManifest) + R"(","config":{"mediaType":")" +
                               std::string(specs::kOciConfig) + R"(","digest":")" +
                               specs::HashOf(config).Oci() + R"(","size":)" +
                               std::to_string(config.size()) + R"(},"layers":[]})";
  image.documents.push_back({described(specs::kOciManifest, manifest), manifest});
  return image;
}

// A push and a pull, of which the first request of that kind is refused; how long after it the next
// one of any kind came, nullopt where there was none.
std::optional<std::chrono::steady_clock::duration> WaitAfter(const RequestKind& kind) {
  std::optional<std::chrono::steady_clock::time_point> refused;
  std::optional<std::chrono::steady_clock::duration> waited;
  MiniRegistry server({.login = RegistryLogin::kToken});
  server.AnswerBy([&](std::size_t, const ServedRequest& request) -> std::optional<ServedResponse> {
    const auto now = std::chrono::steady_clock::now();
    if (refused && !waited) waited = now - *refused;
    const bool is_kind =
        request.method == kind.method && request.target.find(kind.part) != std::string::npos;
    if (refused || !is_kind) return std::nullopt;
    refused = now;
    return ServedResponse{.status = 429, .headers = {{"Retry-After", "1"}}};
  });

  support::TempFolder folder;
  CurlClient client({.user_agent = "test", .max_tries = 2, .backoff_ms = 1});
  const auto open = [&] {
    return std::make_unique<Registry>(client,
                                      Endpoint{.host = server.host(),
                                               .repository = "team/app",
                                               .transport = Transport::kFallback,
                                               .tls = nullptr},
                                      Credentials{.user = "ann",
                                                  .password = specs::Secret("secret"),
                                                  .identity_token = {},
                                                  .origin = "the test"},
                                      Access::kPush);
  };
  support::QuietProgress silent;
  PushMemory memory(folder.path());
  const auto repository = open();
  PushImage(*repository, memory, SmallImage(folder.path() / "config"),
            {.tags = {"latest"}, .jobs = 1, .upload = {.max_failures = 4, .backoff_ms = 1}},
            silent);

  layers::Store store(folder.path() / "store");
  std::vector<std::unique_ptr<Registry>> registries;
  registries.push_back(open());
  RegistryOrigin origin(std::move(registries), store, "latest", silent,
                        {.jobs = 1, .fetch = {.max_failures = 4, .backoff_ms = 1}});
  EXPECT_EQ(layers::ReadImage(origin).blobs.size(), 1u);
  return waited;
}

TEST(RetryAfterTest, IsWaitedForAtEveryRequest) {
  const std::vector<RequestKind> kinds = {{"GET", "/token"},          {"HEAD", "/manifests/"},
                                          {"HEAD", "/blobs/"},        {"POST", "/blobs/uploads/"},
                                          {"PUT", "/blobs/uploads/"}, {"PUT", "/manifests/"},
                                          {"GET", "/manifests/"},     {"GET", "/blobs/"}};
  std::vector<std::future<std::optional<std::chrono::steady_clock::duration>>> waits;
  for (const RequestKind& kind : kinds) {
    waits.push_back(std::async(std::launch::async, WaitAfter, kind));
  }
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    SCOPED_TRACE(kinds[i].method + " " + kinds[i].part);
    const auto waited = waits[i].get();
    ASSERT_TRUE(waited.has_value());
    EXPECT_GE(*waited, std::chrono::seconds(1));
  }
}

}  // namespace
}  // namespace imgbuild::builder
