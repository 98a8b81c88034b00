// Reads that a registry sends on: what goes along, and what does not.
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "builder/registry/registry.h"
#include "specs/base/error.h"
#include "tests/support/fake_http.h"

namespace imgbuild::builder {
namespace {

using testing::HasSubstr;

constexpr char kBlob[] = "https://registry.example/v2/team/app/blobs/x";

class RegistryRedirectTest : public testing::Test {
 protected:
  RegistryRedirectTest() {
    http_.Serve("https://registry.example/v2/", "");  // it has TLS
  }

  // The blob lies there.
  void SendOnTo(const std::string& location) {
    http_.On(kBlob, [location](const HttpRequest& request) -> HttpResult {
      if (request.headers.empty()) {
        return HttpResponse{.status = 401,
                            .headers = {{"WWW-Authenticate", R"(Basic realm="r")"}},
                            .body = {},
                            .url = request.url};
      }
      return HttpResponse{
          .status = 307, .headers = {{"Location", location}}, .body = {}, .url = request.url};
    });
    seen_.reset();
    http_.On(location, [this](const HttpRequest& request) -> HttpResult {
      seen_ = request;
      return HttpResponse{.status = 200, .headers = {}, .body = "blob", .url = request.url};
    });
  }

  int Read(Transport transport, ServerSettings others = nullptr) {
    Registry registry(
        http_,
        {.host = "registry.example", .repository = "team/app", .transport = transport, .tls = tls_},
        {.user = "ann",
         .password = specs::Secret("secret"),
         .identity_token = {},
         .origin = "the test"},
        Access::kPull, std::move(others));
    return registry.Send({.path = "/blobs/x"}).status;
  }

  // Of one server alone.
  static ServerSettings Says(const std::string& of, Transport transport,
                             std::shared_ptr<const HttpTls> tls) {
    return [=](std::string_view server) {
      Endpoint endpoint{.host = std::string(server), .repository = "", .tls = nullptr};
      if (server != of) return endpoint;
      endpoint.transport = transport;
      endpoint.tls = tls;
      return endpoint;
    };
  }

  const std::shared_ptr<const HttpTls> tls_ = std::make_shared<const HttpTls>(
      HttpTls{.authorities = "PEM", .certificate = "c", .key = "k", .check = TlsCheck::kVerify});
  support::FakeHttp http_;
  std::optional<HttpRequest> seen_;  // where the blob lies
};

TEST_F(RegistryRedirectTest, NothingOfTheRegistrysGoesAlong) {
  for (const Transport transport : {Transport::kTls, Transport::kFallback}) {
    for (const char* there :
         {"https://storage.example/x?signed=1", "https://registry.example:8443/x",
          "https://registry.example.evil.example/x"}) {
      SendOnTo(there);
      EXPECT_EQ(Read(transport), 200) << there;
      ASSERT_TRUE(seen_) << there;
      EXPECT_TRUE(seen_->headers.empty()) << there;
      EXPECT_EQ(seen_->tls, nullptr) << there;
    }
  }
}

TEST_F(RegistryRedirectTest, ItIsStillTheRegistryAtAnotherPathOfIt) {
  SendOnTo("https://registry.example/store/x");
  EXPECT_EQ(Read(Transport::kTls), 200);
  ASSERT_TRUE(seen_);
  EXPECT_EQ(seen_->tls, tls_);
  ASSERT_EQ(seen_->headers.size(), 1u);
  EXPECT_EQ(seen_->headers[0].name, "Authorization");
}

TEST_F(RegistryRedirectTest, TheOtherServersOwnSettingsHoldThere) {
  const auto own = std::make_shared<const HttpTls>(
      HttpTls{.authorities = "own", .certificate = "o", .key = "k", .check = TlsCheck::kVerify});
  SendOnTo("https://storage.example:9000/x");
  EXPECT_EQ(Read(Transport::kFallback, Says("storage.example:9000", Transport::kTls, own)), 200);
  ASSERT_TRUE(seen_);
  EXPECT_EQ(seen_->tls, own);
  EXPECT_EQ(Read(Transport::kTls, Says("storage.example:9000", Transport::kFallback, own)), 200);
  ASSERT_NE(seen_->tls, nullptr);
  EXPECT_EQ(seen_->tls->authorities, "own");
  EXPECT_EQ(seen_->tls->check, TlsCheck::kSkip);
  EXPECT_EQ(Read(Transport::kTls, Says("storage.example", Transport::kFallback, own)), 200);
  EXPECT_EQ(seen_->tls, nullptr);
}

TEST_F(RegistryRedirectTest, TlsEndsOnlyAtAServerThatIsInsecure) {
  SendOnTo("http://storage.example/x");
  for (const Transport transport : {Transport::kTls, Transport::kFallback}) {
    try {
      Read(transport);
      ADD_FAILURE() << "no error";
    } catch (const AccessRefused& error) {
      EXPECT_THAT(error.what(), HasSubstr("http://storage.example/x"));
    }
    EXPECT_FALSE(seen_);
  }
  EXPECT_EQ(Read(Transport::kTls, Says("storage.example", Transport::kFallback, nullptr)), 200);
  EXPECT_TRUE(seen_);
}

TEST_F(RegistryRedirectTest, NoReadLeadsToAFile) {
  SendOnTo("file:///etc/hostname");
  EXPECT_THROW(Read(Transport::kTls), AccessRefused);
  EXPECT_FALSE(seen_);
}

TEST_F(RegistryRedirectTest, OneThatNeverEndsIsTheAnswer) {
  http_.On(kBlob, [](const HttpRequest& request) -> HttpResult {
    return HttpResponse{
        .status = 302, .headers = {{"Location", kBlob}}, .body = {}, .url = request.url};
  });
  EXPECT_EQ(Read(Transport::kTls), 302);
  EXPECT_LT(http_.Count(kBlob), 10);
}

}  // namespace
}  // namespace imgbuild::builder
