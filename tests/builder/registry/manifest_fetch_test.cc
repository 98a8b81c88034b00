#include "builder/registry/manifest_fetch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "specs/base/error.h"
#include "specs/oci/media_types.h"
#include "tests/builder/registry/registry_fixture.h"

namespace imgbuild::builder {
namespace {

using specs::ErrorKind;
using support::MiniRegistry;
using support::ServedRequest;
using support::ServedResponse;
using testing::HasSubstr;

class ManifestFetchTest : public RegistryFixture {
 protected:
  ManifestFetchTest() { server_.PutManifest("team/app", "v1", manifest_, kType); }

  std::optional<FetchedManifest> Fetch(const std::string& reference) {
    Registry registry = Open(server_, {}, "team/app", Access::kPull);
    return FetchManifest(registry, reference);
  }

  // Fails unless fetching throws an Error that says `part`.
  void Refused(const std::string& reference, const std::string& part,
               std::optional<ErrorKind> kind = {}) {
    try {
      (void)Fetch(reference);
      ADD_FAILURE() << "no error: " << part;
    } catch (const specs::Error& error) {
      EXPECT_THAT(error.what(), HasSubstr(part));
      if (kind) {
        EXPECT_EQ(error.kind(), *kind);
      }
    }
  }

  void Answer(const std::string& type, const std::string& body, const std::string& digest = "") {
    server_.AnswerBy([=](std::size_t, const ServedRequest&) {
      ServedResponse response{.headers = {{"Content-Type", type}}, .body = body};
      if (!digest.empty()) response.headers["Docker-Content-Digest"] = digest;
      return response;
    });
  }

  const std::string kType = std::string(specs::kOciManifest);
  std::string manifest_ = R"({"schemaVersion":2,"config":{"mediaType":"x/c","digest":")" +
                          specs::HashOf("{}").Oci() + R"(","size":2},"layers":[]})";
  MiniRegistry server_;
};

TEST_F(ManifestFetchTest, ByTagAndByDigest) {
  const specs::Sha256 digest = specs::HashOf(manifest_);
  for (const std::string& reference : {std::string("v1"), digest.Oci()}) {
    const auto fetched = Fetch(reference);
    ASSERT_TRUE(fetched);
    EXPECT_EQ(fetched->bytes, manifest_);
    EXPECT_EQ(fetched->descriptor.digest, digest);
    EXPECT_EQ(fetched->descriptor.size, manifest_.size());
    EXPECT_EQ(fetched->descriptor.media_type, specs::kOciManifest);
  }
  EXPECT_FALSE(Fetch("v2"));
  EXPECT_THAT(server_.requests().back().headers.at("accept"), HasSubstr(specs::kDockerIndex));
}

TEST_F(ManifestFetchTest, WrongDigestsAreFoundOut) {
  const std::string other = specs::HashOf("other").Oci();
  Answer(kType, manifest_, other);
  Refused("v1", other, ErrorKind::kVerification);  // the header lies
  Answer(kType, manifest_);
  EXPECT_TRUE(Fetch("v1"));  // which is no duty
  Refused(other, "another digest", ErrorKind::kVerification);
  Answer(kType, manifest_, "sha512:00");
  EXPECT_TRUE(Fetch("v1"));
}

TEST_F(ManifestFetchTest, OfTheSizeThatItsIndexSays) {
  Registry registry = Open(server_);
  const specs::Descriptor right = Fetch("v1")->descriptor;
  EXPECT_EQ(FetchManifest(registry, right).bytes, manifest_);
  specs::Descriptor wrong = right;
  wrong.size += 1;
  EXPECT_THROW((void)FetchManifest(registry, wrong), specs::Error);
  wrong = right;
  wrong.digest = specs::HashOf("none");
  EXPECT_THROW((void)FetchManifest(registry, wrong), specs::Error);
}

TEST_F(ManifestFetchTest, KindsThatAreNone) {
  Answer("text/html", "<html>log in</html>");
  Refused("v1", "no manifest");
  Answer("application/vnd.docker.distribution.manifest.v1+prettyjws", "{}");
  Refused("v1", "schema 1");
  Answer("", R"({"schemaVersion":1,"fsLayers":[]})");
  Refused("v1", "schema 1");
  Answer("application/vnd.oci.image.index.v1+json",
         R"({"mediaType":"application/vnd.oci.image.manifest.v1+json",)" + manifest_.substr(1));
  Refused("v1", "another media type", ErrorKind::kVerification);
  Answer("", R"({"mediaType":"x/unknown",)" + manifest_.substr(1));
  Refused("v1", "unknown kind");
  Answer(kType, "[");
  Refused("v1", "not valid");
}

TEST_F(ManifestFetchTest, TheTypeMayBeTheDocumentsAlone) {
  for (const char* type : {"", "application/octet-stream", "application/json; charset=utf-8"}) {
    Answer(type, manifest_);
    EXPECT_EQ(Fetch("v1")->descriptor.media_type, specs::kOciManifest) << type;
    Answer(type, R"({"manifests":[]})");
    EXPECT_EQ(Fetch("v1")->descriptor.media_type, specs::kOciIndex) << type;
  }
}

TEST_F(ManifestFetchTest, MoreThanFourMebibytesAreNotRead) {
  Answer(kType, manifest_ + std::string(5u << 20, ' '));
  Refused("v1", "larger than 4");
}

TEST_F(ManifestFetchTest, ACutAnswerIsAskedForAgain) {
  bool cut = false;
  server_.AnswerBy([&](std::size_t, const ServedRequest& request) -> std::optional<ServedResponse> {
    if (!request.target.ends_with("/manifests/v1") || std::exchange(cut, true)) return std::nullopt;
    return ServedResponse{.headers = {{"Content-Type", kType}}, .body = manifest_, .cut_after = 9};
  });
  EXPECT_EQ(Fetch("v1")->bytes, manifest_);
  EXPECT_TRUE(cut);
}

}  // namespace
}  // namespace imgbuild::builder
