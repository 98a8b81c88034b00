#include "builder/cli/image_place.h"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "specs/base/error.h"

namespace imgbuild::builder {
namespace {

using testing::HasSubstr;

TEST(ImagePlace, RendersWhatWasParsed) {
  const std::string digest = specs::HashOf("x").Oci();
  for (const std::string& text :
       {std::string("docker://registry.example/team/app:v1"),
        std::string("docker://localhost:5000/app"), "docker://registry.example/app@" + digest,
        std::string("oci:out"), std::string("oci:some/dir:latest"),
        std::string("oci:out:team/app:v1"), std::string("oci-archive:/tmp/a.tar:v1"),
        std::string("oci-archive:a.tar"), std::string("docker-archive:a.tar"),
        std::string("docker-archive:a.tar:app:v1"),
        std::string("docker-archive:a.tar:registry.example:5000/app:v1")}) {
    const ImagePlace place = ParsePlace(text);
    EXPECT_EQ(place.Render(), text);
    EXPECT_EQ(ParsePlace(place.Render()), place);
  }
}

TEST(ImagePlace, ARegistryNeedsNoTransport) {
  EXPECT_EQ(ParsePlace("registry.example/team/app:v1"),
            ParsePlace("docker://registry.example/team/app:v1"));
  EXPECT_EQ(ParseRegistryPlace("localhost/app").Name(), "localhost/app");
}

TEST(ImagePlace, KeepsPathAndNameApart) {
  const ImagePlace place = ParsePlace("docker-archive:a/b.tar:localhost:5000/app:v1");
  EXPECT_EQ(place.kind, PlaceKind::kDockerArchive);
  EXPECT_EQ(place.path, "a/b.tar");
  EXPECT_EQ(place.name, "localhost:5000/app:v1");
}

TEST(ImagePlace, WhatIsNoneSaysWhatWouldBe) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"app", "no place"},
      {"app:v1", "no place"},
      {"team/app", "no place"},
      {"dir:/tmp/x", "no place"},
      {"", "no place"},
      {"oci:", "path is missing"},
      {"oci:x:", "name after"},
      {"oci:x:no tag", "no tag"},
      {"docker-archive:a.tar:App", "in docker-archive:a.tar:App"},
      {"docker-archive:a.tar:app@" + specs::HashOf("x").Oci(), "no digests"},
      {"docker://app", ""},
      {"docker://registry.example/App", ""},
  };
  for (const auto& [text, part] : cases) {
    try {
      (void)ParsePlace(text);
      ADD_FAILURE() << text;
    } catch (const specs::Error& error) {
      EXPECT_EQ(error.kind(), specs::ErrorKind::kUsage) << text;
      EXPECT_THAT(error.what(), HasSubstr(part)) << text;
    }
  }
  EXPECT_THROW((void)ParseRegistryPlace("oci:x"), specs::Error);
}

TEST(ImagePlace, APathThatIsThereIsPerhapsMeant) {
  try {
    (void)ParsePlace(std::filesystem::temp_directory_path().string());
    ADD_FAILURE();
  } catch (const specs::Error& error) {
    EXPECT_THAT(error.hint(), HasSubstr("perhaps oci:"));
  }
}

TEST(ImagePlace, ADigestGoesBeforeATag) {
  const std::string digest = specs::HashOf("x").Oci();
  EXPECT_EQ(ReferenceText(specs::ParseReference("r.example/a:v1@" + digest)), digest);
  EXPECT_EQ(ReferenceText(specs::ParseReference("r.example/a:v1")), "v1");
  EXPECT_EQ(ReferenceText(specs::ParseReference("r.example/a")), "latest");
}

}  // namespace
}  // namespace imgbuild::builder
