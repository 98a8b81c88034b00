#include "builder/cli/outputs.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "specs/base/error.h"

namespace imgbuild::builder {
namespace {

using testing::HasSubstr;

specs::ImageSection TheImage() { return {.name = "team/notebook", .tags = {"latest", "v1"}}; }

void ExpectRefused(const std::string& text, const std::string& part) {
  try {
    ParseOutput(text, TheImage());
    FAIL() << text << " was taken";
  } catch (const specs::Error& error) {
    EXPECT_EQ(error.kind(), specs::ErrorKind::kUsage);
    EXPECT_THAT(error.what(), HasSubstr("-o " + text));
    EXPECT_THAT(error.what(), HasSubstr(part));
  }
}

TEST(Output, TakesTheTagsOfTheSpecWhereNoneIsNamed) {
  EXPECT_EQ(ParseOutput("oci:out", TheImage()),
            (Output{.kind = OutputKind::kOci, .path = "out", .tags = {"latest", "v1"}}));
  EXPECT_EQ(ParseOutput("oci-archive:a/b.tar", TheImage()),
            (Output{.kind = OutputKind::kOciArchive, .path = "a/b.tar", .tags = {"latest", "v1"}}));
  EXPECT_EQ(ParseOutput("docker-archive:d.tar", TheImage()),
            (Output{.kind = OutputKind::kDockerArchive,
                    .path = "d.tar",
                    .tags = {"team/notebook:latest", "team/notebook:v1"}}));
}

TEST(Output, TakesTheTagThatIsNamed) {
  EXPECT_EQ(ParseOutput("oci:out:test", TheImage()),
            (Output{.kind = OutputKind::kOci, .path = "out", .tags = {"test"}}));
  EXPECT_EQ(ParseOutput("docker-archive:d.tar:other:1", TheImage()),
            (Output{.kind = OutputKind::kDockerArchive, .path = "d.tar", .tags = {"other:1"}}));
}

TEST(Output, RendersAsOtherToolsTakeIt) {
  EXPECT_EQ(ParseOutput("oci:out:test", TheImage()).Render(), "oci:out:test");
  EXPECT_EQ(ParseOutput("oci-archive:a.tar", TheImage()).Render(), "oci-archive:a.tar");
}

TEST(Output, IsNamedAfterTheLastPartOfTheImage) {
  EXPECT_EQ(DefaultOutput(TheImage()),
            (Output{.kind = OutputKind::kOci, .path = "notebook.oci", .tags = {"latest", "v1"}}));
}

TEST(Output, RefusesWhatItCannotWrite) {
  ExpectRefused("docker:out", "oci:DIRECTORY[:TAG]");
  ExpectRefused("out", "oci-archive:FILE[:TAG]");
  ExpectRefused("", "unknown transport");
  ExpectRefused("oci", "the path is missing");
  ExpectRefused("oci:", "the path is missing");
  ExpectRefused("oci::latest", "the path is missing");
  ExpectRefused("oci:out:", "the tag after");
}

}  // namespace
}  // namespace imgbuild::builder
