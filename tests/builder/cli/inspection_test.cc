#include "builder/cli/inspection.h"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "specs/oci/media_types.h"

namespace imgbuild::builder {
namespace {

using testing::HasSubstr;
using testing::Not;

// Documents and configurations in memory; nobody may ask for a layer.
class DocumentsOnly : public layers::ImageOrigin {
 public:
  std::string Put(const std::string& bytes, std::string_view type, const std::string& more = "") {
    const specs::Sha256 digest = specs::HashOf(bytes);
    documents_[digest] = bytes;
    root_ = {.media_type = std::string(type), .digest = digest, .size = bytes.size()};
    return R"({"mediaType":")" + std::string(type) + R"(","digest":")" + digest.Oci() +
           R"(","size":)" + std::to_string(bytes.size()) + more + "}";
  }

  specs::Descriptor Root() override { return root_; }
  std::string ReadDocument(const specs::Descriptor& document) override {
    return documents_.at(document.digest);
  }
  std::vector<layers::SourceBlob> Files(const std::vector<specs::Descriptor>&) override {
    ADD_FAILURE() << "a layer was read";
    return {};
  }

 private:
  std::map<specs::Sha256, std::string> documents_;
  specs::Descriptor root_;
};

std::string Layer(const std::string& name, std::uint64_t size) {
  return R"({"mediaType":"application/vnd.oci.image.layer.v1.tar+zstd","digest":")" +
         specs::HashOf(name).Oci() + R"(","size":)" + std::to_string(size) + "}";
}

class InspectionTest : public testing::Test {
 protected:
  std::string PutImage(const std::string& config) {
    return origin_.Put(R"({"schemaVersion":2,"config":)" + origin_.Put(config, specs::kOciConfig) +
                           R"(,"layers":[)" + Layer("one", 1'500'000) + "," + Layer("two", 100) +
                           R"(],"annotations":{"revision":"abc"}})",
                       specs::kOciManifest);
  }

  std::string Text(const std::string& platform = "") {
    return RenderInspection(Inspect(origin_, "oci:x:v1", platform));
  }

  const std::string config_ =
      R"({"os":"linux","architecture":"arm64","variant":"v8","created":"2026-01-01T00:00:00Z",)"
      R"("config":{"User":"1000","Env":["PATH=/bin","A=B C"],"Entrypoint":["/init","a b"],)"
      R"("Cmd":["serve"],"WorkingDir":"/work","ExposedPorts":{"8888/tcp":{},"5001/tcp":{}},)"
      R"("Labels":{"team":"green"},"StopSignal":"SIGINT"},)"
      R"("rootfs":{"type":"layers","diff_ids":[]},)"
      R"("history":[{"created_by":"base"},{"created_by":"ENV A=B","empty_layer":true},)"
      R"({"comment":"the second"}]})";
  DocumentsOnly origin_;
};

TEST_F(InspectionTest, TellsWhatAnImageIs) {
  PutImage(config_);
  const std::string text = Text();
  for (const char* part :
       {"oci:x:v1", "linux/arm64/v8", "1.5 MB in 2 layers", "/init \"a b\"", "serve", "/work",
        "5001/tcp, 8888/tcp", "PATH=/bin", "A=B C", "team=green", "SIGINT", "revision=abc",
        "tar+zstd base", "the second", "1000", "2026-01-01"}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
  EXPECT_THAT(text, HasSubstr(origin_.Root().digest.Oci()));
}

TEST_F(InspectionTest, AndToPrograms) {
  PutImage(config_);
  const auto json = nlohmann::json::parse(InspectionJson(Inspect(origin_, "oci:x", "")));
  EXPECT_EQ(json.at("digest"), origin_.Root().digest.Oci());
  const auto& manifest = json.at("manifests").at(0);
  EXPECT_EQ(manifest.at("platform"), "linux/arm64/v8");
  EXPECT_EQ(manifest.at("size"), 1'500'100);
  EXPECT_EQ(manifest.at("layers").at(1).at("createdBy"), "the second");
  EXPECT_EQ(manifest.at("config").at("entrypoint").at(1), "a b");
  EXPECT_EQ(manifest.at("config").at("labels").at("team"), "green");
  EXPECT_EQ(manifest.at("annotations").at("revision"), "abc");
  EXPECT_FALSE(json.contains("referrers"));
}

TEST_F(InspectionTest, EveryPlatformOfAnIndex) {
  const std::string arm = PutImage(config_);
  const std::string amd = PutImage(R"({"os":"linux","architecture":"amd64"})");
  const std::string odd = PutImage(R"({"os":"linux","architecture":"wrong"})");
  auto with = [](std::string link, const std::string& architecture) {
    link.pop_back();
    return link + R"(,"platform":{"os":"linux","architecture":")" + architecture + "\"}}";
  };
  origin_.Put(R"({"schemaVersion":2,"manifests":[)" + with(arm, "arm64") + "," +
                  with(amd, "amd64") + "," + with(odd, "riscv64") +
                  R"(],"annotations":{"of":"the index"}})",
              specs::kOciIndex);
  const std::string text = Text();
  for (const char* part : {"\nlinux/arm64\n", "\nlinux/amd64\n", "\nlinux/riscv64\n",
                           "of=the index", "image.index.v1+json"}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
  EXPECT_THAT(Text("linux/amd64"), Not(HasSubstr("arm64")));
}

TEST_F(InspectionTest, ArtifactsHaveNoConfigurationToShow) {
  origin_.Put(R"({"schemaVersion":2,"artifactType":"x/model","config":)" +
                  origin_.Put("{}", "application/vnd.oci.empty.v1+json") + R"(,"layers":[)" +
                  Layer("one", 5) + "]}",
              specs::kOciManifest);
  EXPECT_THAT(Text(), HasSubstr("x/model"));
}

TEST_F(InspectionTest, NothingThatItSaysReachesTheTerminalAsIs) {
  PutImage(
      R"({"os":"linux","architecture":"amd64","config":{"Env":["A=\u001b[2J\u0007x\u009by"],)"
      R"("User":"a\nb","Labels":{"k\r":"\u007f"}},"history":[{"created_by":"\u001b]0;t\u0007"},)"
      R"({"created_by":")" +
      std::string(5'000, 'x') + R"("}]})");
  const std::string text = Text();
  for (const char c : text) {
    EXPECT_TRUE(c == '\n' || static_cast<unsigned char>(c) >= ' ') << static_cast<int>(c);
    EXPECT_NE(c, '\x7f');
  }
  EXPECT_THAT(text, Not(HasSubstr("\xc2\x9b")));
  EXPECT_THAT(text, HasSubstr("a b"));
  EXPECT_LT(text.size(), 3'000u);
}

TEST_F(InspectionTest, WhatIsAttached) {
  PutImage(config_);
  Inspection inspection = Inspect(origin_, "x", "");
  inspection.referrers.emplace();
  EXPECT_THAT(RenderInspection(inspection), HasSubstr("nothing is attached"));
  inspection.referrers->push_back(
      {{.media_type = "m", .digest = specs::HashOf("s"), .size = 9, .annotations = {{"by", "me"}}},
       "x/sbom"});
  EXPECT_THAT(RenderInspection(inspection), HasSubstr("x/sbom"));
  const auto json = nlohmann::json::parse(InspectionJson(inspection));
  EXPECT_EQ(json.at("referrers").at(0).at("annotations").at("by"), "me");
}

}  // namespace
}  // namespace imgbuild::builder
