#include "builder/registry/referrers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "specs/base/error.h"
#include "specs/oci/media_types.h"
#include "tests/builder/registry/registry_fixture.h"

namespace imgbuild::builder {
namespace {

using support::MiniRegistry;
using support::ServedRequest;
using support::ServedResponse;

class ReferrersTest : public RegistryFixture {
 protected:
  static Referrer Of(const std::string& bytes) {
    return {{.media_type = std::string(specs::kOciManifest),
             .digest = specs::HashOf(bytes),
             .size = bytes.size(),
             .platform = {},
             .annotations = {{"made", "by " + bytes}}},
            "x/sbom"};
  }

  static std::string Entry(const std::string& bytes) {
    return R"({"mediaType":")" + std::string(specs::kOciManifest) + R"(","digest":")" +
           specs::HashOf(bytes).Oci() + R"(","size":)" + std::to_string(bytes.size()) +
           R"(,"artifactType":"x/sbom","annotations":{"made":"by )" + bytes + "\"}}";
  }

  static ServedResponse List(const std::string& entries, const std::string& link = "") {
    ServedResponse response{.headers = {{"Content-Type", std::string(specs::kOciIndex)}},
                            .body = R"({"schemaVersion":2,"manifests":[)" + entries + "]}"};
    if (!link.empty()) response.headers["Link"] = link;
    return response;
  }

  const specs::Sha256 subject_ = specs::HashOf("the image");
  MiniRegistry server_;
  Registry registry_ = Open(server_);
};

TEST_F(ReferrersTest, FromTheRegistrysListInPages) {
  server_.AnswerBy([](std::size_t, const ServedRequest& request) -> std::optional<ServedResponse> {
    if (request.target.find("/referrers/") == std::string::npos) return std::nullopt;
    return request.target.find("page=2") != std::string::npos
               ? List(Entry("two") + "," + Entry("one"))
               : List(Entry("one"), R"(<?page=2>; rel="next")");
  });
  EXPECT_EQ(ListReferrers(registry_, subject_), (std::vector<Referrer>{Of("one"), Of("two")}));
  PublishReferrers(registry_, subject_, {Of("three")});
  for (const ServedRequest& request : server_.requests()) EXPECT_NE(request.method, "PUT");
}

TEST_F(ReferrersTest, FromTheTagWhereTheRegistryKeepsNoList) {
  EXPECT_TRUE(ListReferrers(registry_, subject_).empty());
  PublishReferrers(registry_, subject_, {Of("one")});
  PublishReferrers(registry_, subject_, {Of("two"), Of("one")});
  EXPECT_EQ(ListReferrers(registry_, subject_), (std::vector<Referrer>{Of("one"), Of("two")}));
  EXPECT_TRUE(server_.tags().contains("team/app:sha256-" + subject_.Hex()));
  const std::size_t before = server_.requests().size();
  PublishReferrers(registry_, subject_, {Of("two")});  // nothing new
  for (std::size_t i = before; i < server_.requests().size(); ++i) {
    EXPECT_EQ(server_.requests()[i].method, "GET");
  }
}

TEST_F(ReferrersTest, WhatOthersPutUnderTheTagStays) {
  const std::string theirs = R"({"schemaVersion":2,"mediaType":")" + std::string(specs::kOciIndex) +
                             R"(","manifests":[{"mediaType":"x/y","digest":")" +
                             specs::HashOf("theirs").Oci() +
                             R"(","size":6,"data":"kept"}],"annotations":{"a":"b"}})";
  server_.PutManifest("team/app", ReferrersTag(subject_), theirs, std::string(specs::kOciIndex));
  PublishReferrers(registry_, subject_, {Of("one")});
  const std::string digest = server_.tags().at("team/app:" + ReferrersTag(subject_));
  const std::string now = server_.manifests().at("team/app@" + digest);
  EXPECT_NE(now.find(R"("data":"kept")"), std::string::npos);
  EXPECT_NE(now.find(R"("annotations":{"a":"b"})"), std::string::npos);
  EXPECT_EQ(ListReferrers(registry_, subject_).size(), 2u);
}

TEST_F(ReferrersTest, AListThatIsTakenForAnotherIsPutAgain) {
  int lies = 2;
  server_.AnswerBy([&](std::size_t, const ServedRequest& request) -> std::optional<ServedResponse> {
    if (request.method != "PUT" || lies == 0) return std::nullopt;
    --lies;
    return ServedResponse{.status = 201,
                          .headers = {{"Docker-Content-Digest", "sha256:" + std::string(64, 'e')}}};
  });
  PublishReferrers(registry_, subject_, {Of("one")});
  EXPECT_EQ(ListReferrers(registry_, subject_), std::vector<Referrer>{Of("one")});
  lies = 100;
  try {
    PublishReferrers(registry_, subject_, {Of("two")});
    ADD_FAILURE() << "no error";
  } catch (const specs::Error& error) {
    EXPECT_EQ(error.kind(), specs::ErrorKind::kVerification);
    EXPECT_THAT(error.what(), testing::HasSubstr("list of referrers"));
  }
}

TEST_F(ReferrersTest, AnswersOfOtherKindsMeanThatThereIsNoList) {
  for (const ServedResponse& answer :
       {ServedResponse{.status = 400}, ServedResponse{.status = 405},
        ServedResponse{.headers = {{"Content-Type", "text/html"}}, .body = "<html>"}}) {
    server_.AnswerBy([=](std::size_t, const ServedRequest& request) {
      return request.target.find("/referrers/") == std::string::npos ? std::nullopt
                                                                     : std::optional(answer);
    });
    EXPECT_TRUE(ListReferrers(registry_, subject_).empty());
  }
  server_.AnswerBy([](std::size_t, const ServedRequest&) { return ServedResponse{.status = 403}; });
  EXPECT_THROW((void)ListReferrers(registry_, subject_), specs::Error);
  server_.AnswerBy([](std::size_t, const ServedRequest&) { return List("7"); });
  EXPECT_THROW((void)ListReferrers(registry_, subject_), specs::Error);
}

}  // namespace
}  // namespace imgbuild::builder
