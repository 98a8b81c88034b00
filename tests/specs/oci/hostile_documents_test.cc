// What others may send: documents that are too large, too deep, slow to read or full of lies.
#include <chrono>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "specs/base/error.h"
#include "specs/oci/descriptor.h"
#include "specs/oci/image_config.h"
#include "specs/oci/layout_index.h"
#include "specs/oci/manifest.h"
#include "specs/oci/manifest_links.h"

namespace imgbuild::specs {
namespace {

using testing::HasSubstr;

// What each parser says to `text`; "" where it takes it.
template <typename Parse>
std::string Complaint(Parse parse, std::string_view text) {
  try {
    (void)parse(text, "the document");
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("the document"));
    return error.what();
  }
  return "";
}

std::vector<std::string> Complaints(std::string_view text) {
  return {Complaint(ParseManifest, text), Complaint(ParseImageIndex, text),
          Complaint(ParseImageConfig, text), Complaint(ParseLayoutIndex, text),
          Complaint(ParseManifestLinks, text)};
}

std::string Repeated(std::string_view text, std::size_t count) {
  std::string all;
  for (std::size_t i = 0; i < count; ++i) all += text;
  return all;
}

TEST(HostileDocuments, TooLargeOnesAreRefused) {
  const std::string text = "{}" + std::string(5u << 20, ' ');
  for (const std::string& complaint : Complaints(text)) {
    EXPECT_THAT(complaint, HasSubstr("too large"));
  }
}

TEST(HostileDocuments, TooDeepOnesAreRefused) {
  for (const std::string& text :
       {Repeated("[", 1'000'000), R"({"schemaVersion":2,"config":)" + Repeated(R"({"a":)", 400'000),
        R"({"schemaVersion":2,"manifests":[)" + Repeated("[", 65) + Repeated("]", 65) + "]}"}) {
    for (const std::string& complaint : Complaints(text)) {
      EXPECT_THAT(complaint, HasSubstr("too deeply"));
    }
  }
  EXPECT_EQ(Complaint(ParseLayoutIndex,
                      R"({"schemaVersion":2,"manifests":[],"x":")" + Repeated("[", 100) + "\"}"),
            "");
}

TEST(HostileDocuments, ManyKeysTakeTimeInProportion) {
  std::string keys;
  for (int i = 0; i < 40'000; ++i) keys += "\"key" + std::to_string(i) + "\":1,";
  const std::string text = "{" + keys + R"("schemaVersion":2,"manifests":[{"mediaType":"x",)" +
                           keys + R"("digest":"x"}]})";
  ASSERT_LT(text.size(), 4u << 20);
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(ParseLayoutIndex(text, "index").others.size(), 40'000u);
  EXPECT_NE(Complaint(ParseManifest, text), "");
  // Far less; quadratic in the number of keys it would be more.
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
}

TEST(HostileDocuments, MessagesShowLittleAndNothingThatMoves) {
  const std::string noise = "\"" + std::string(100'000, 'x') + "\x1b[2J\xff";
  for (const std::string& complaint : Complaints(noise)) {
    EXPECT_LT(complaint.size(), 1'000u);
    EXPECT_EQ(complaint.find('\x1b'), std::string::npos);
  }
}

TEST(HostileDocuments, CutAnywhereNeverCrash) {
  const std::string text =
      R"({"schemaVersion":2,"manifests":[{"mediaType":"a\"\u0041","digest":"sha512:00","size":1e400,)"
      R"("annotations":{"org.opencontainers.image.ref.name":"v1"}}],"layers":[1],"config":{}})";
  for (std::size_t i = 0; i <= text.size(); ++i) Complaints(text.substr(0, i));
  for (std::size_t i = 0; i < text.size(); ++i) {
    for (const char c : {'{', '}', '[', '"', ',', '\\', '0'}) {
      std::string changed = text;
      changed[i] = c;
      Complaints(changed);
    }
  }
}

TEST(Digest, IsLowerCaseWithItsAlgorithm) {
  const Sha256 digest = HashOf("x");
  EXPECT_EQ(ParseDigest(digest.Oci()), digest);
  std::string upper = digest.Oci();
  for (char& c : upper) c = c >= 'a' && c <= 'f' ? static_cast<char>(c - 32) : c;
  const std::string hex = digest.Hex();
  for (const std::string& text :
       {hex, upper, "SHA256:" + hex, "sha256:" + hex + "0", std::string("sha256:"),
        "sha256:sha256:" + hex, "sha512:" + hex + hex}) {
    EXPECT_FALSE(ParseDigest(text)) << text;
  }
}

TEST(Digest, IsDemandedInDocuments) {
  const std::string hex = HashOf("x").Hex();
  const std::string config = R"({"os":"linux","architecture":"amd64","rootfs":{"diff_ids":["@"]}})";
  auto with = [&](std::string text, const std::string& digest) {
    return text.replace(text.find('@'), 1, digest);
  };
  EXPECT_EQ(Complaint(ParseImageConfig, with(config, "sha256:" + hex)), "");
  EXPECT_THAT(Complaint(ParseImageConfig, with(config, hex)), HasSubstr("is not a diff id"));
  EXPECT_NE(Complaint(ParseImageConfig, with(config, "sha256:" + std::string(64, 'A'))), "");
  const std::string index =
      R"({"schemaVersion":2,"manifests":[{"mediaType":"m","size":1,"digest":"@"}]})";
  EXPECT_EQ(Complaint(ParseImageIndex, with(index, "sha256:" + hex)), "");
  EXPECT_NE(Complaint(ParseImageIndex, with(index, hex)), "");
  EXPECT_NE(Complaint(ParseImageIndex, with(index, "sha256:" + std::string(64, 'A'))), "");
}

}  // namespace
}  // namespace imgbuild::specs
