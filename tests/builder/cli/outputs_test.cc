#include "builder/cli/outputs.h"

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "layers/image/image.h"
#include "layers/store/store.h"
#include "specs/base/error.h"
#include "tests/support/quiet_progress.h"
#include "tests/support/temp_folder.h"

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

// So that several specs can be built into one layout.
TEST(Output, IsCalledByItsNameWhereTheSpecHasNoTags) {
  const specs::ImageSection image{.name = "team/notebook"};
  EXPECT_EQ(ParseOutput("oci:all", image).Render(), "oci:all:team/notebook");
  EXPECT_EQ(DefaultOutput(image).Render(), "oci:notebook.oci:team/notebook");
  EXPECT_THAT(ParseOutput("docker-archive:d.tar", image).tags,
              testing::ElementsAre("team/notebook:latest"));
}

TEST(Output, TakesTheTagThatIsNamed) {
  EXPECT_EQ(ParseOutput("oci:out:test", TheImage()),
            (Output{.kind = OutputKind::kOci, .path = "out", .tags = {"test"}}));
  EXPECT_EQ(ParseOutput("docker-archive:d.tar:other:1", TheImage()),
            (Output{.kind = OutputKind::kDockerArchive, .path = "d.tar", .tags = {"other:1"}}));
}

TEST(Output, NamesInDockerArchivesAreWholeOnes) {
  const auto name_of = [](const std::string& name) {
    return ParseOutput("docker-archive:d.tar:" + name, TheImage()).tags.at(0);
  };
  EXPECT_EQ(name_of("other"), "other:latest");
  EXPECT_EQ(name_of("registry.example:5000/team/other"), "registry.example:5000/team/other:latest");
  EXPECT_EQ(name_of("registry.example:5000/other:1"), "registry.example:5000/other:1");
  ExpectRefused("docker-archive:d.tar:Other", "its path");
  ExpectRefused("docker-archive:d.tar:other:-x", "its tag");
  ExpectRefused("docker-archive:d.tar:other@sha256:" + std::string(64, 'a'), "no digests");
}

TEST(Output, NamesInLayoutsAreTagsOrLonger) {
  for (const std::string& name : {std::string("v1_"), std::string("team/notebook:1.2")}) {
    EXPECT_EQ(ParseOutput("oci:out:" + name, TheImage()).tags.at(0), name);
  }
  for (const std::string& name : {std::string("a b"), std::string("a/"), std::string("-a")}) {
    ExpectRefused("oci:out:" + name, "is no tag");
    ExpectRefused("oci-archive:out.tar:" + name, "is no tag");
  }
}

TEST(Output, RendersAsOtherToolsTakeIt) {
  EXPECT_EQ(ParseOutput("oci:out:test", TheImage()).Render(), "oci:out:test");
  EXPECT_EQ(ParseOutput("oci-archive:a.tar", TheImage()).Render(), "oci-archive:a.tar");
}

TEST(Output, IsNamedAfterTheLastPartOfTheImage) {
  EXPECT_EQ(DefaultOutput(TheImage()),
            (Output{.kind = OutputKind::kOci, .path = "notebook.oci", .tags = {"latest", "v1"}}));
}

specs::LoadedSpec Loaded(const std::string& file, const specs::ImageSection& image) {
  specs::LoadedSpec loaded;
  loaded.spec.image = image;
  loaded.sources.file = file;
  return loaded;
}

TEST(RequireApart, TakesImagesOfOtherNamesPlacesOrTags) {
  EXPECT_NO_THROW(RequireApart({Loaded("a.toml", TheImage())}));
  EXPECT_NO_THROW(RequireApart({Loaded("a/spec.toml", {.name = "team/notebook"}),
                                Loaded("b/spec.toml", {.name = "other/notebook"}),
                                Loaded("c/spec.toml", TheImage()),
                                Loaded("d/spec.toml", {.name = "notebook", .tags = {"v2"}}),
                                Loaded("e/spec.toml", {.name = "web", .tags = {"v1"}})}));
}

TEST(RequireApart, RefusesImagesOfWhichOneWouldReplaceTheOther) {
  try {
    RequireApart({Loaded("a/spec.toml", {.name = "web"}), Loaded("b/spec.toml", TheImage()),
                  Loaded("c/spec.toml", {.name = "other/notebook", .tags = {"v1", "v2"}})});
    FAIL() << "was taken";
  } catch (const specs::Error& error) {
    EXPECT_EQ(error.kind(), specs::ErrorKind::kUsage);
    EXPECT_EQ(error.message(),
              "b/spec.toml and c/spec.toml would both be written to oci:notebook.oci:v1");
    EXPECT_THAT(error.hint(), HasSubstr("image.name"));
    EXPECT_THAT(error.hint(), HasSubstr("-o"));
  }
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

// The message of what CheckOutput throws; "" where it takes it.
std::string Refusal(const std::string& text, specs::ImageSection image = TheImage()) {
  try {
    CheckOutput(ParseOutput(text, image), image);
  } catch (const specs::Error& error) {
    return error.what();
  }
  return "";
}

TEST(CheckOutput, TakesWhatCanBeMadeAndMakesNothing) {
  const support::TempFolder folder;
  const std::string top = folder.path().string();
  std::filesystem::create_directories(folder.path() / "empty");
  std::filesystem::create_directories(folder.path() / "layout");
  std::ofstream(folder.path() / "layout/oci-layout") << "{}";
  EXPECT_EQ(Refusal("oci:" + top + "/new/and/deeper"), "");
  EXPECT_EQ(Refusal("oci:" + top + "/empty"), "");
  EXPECT_EQ(Refusal("oci:" + top + "/layout"), "");
  std::ofstream(folder.path() / "empty/.imgbuild-tmp-0123") << "of a killed run";
  EXPECT_EQ(Refusal("oci:" + top + "/empty"), "");
  EXPECT_EQ(Refusal("oci-archive:" + top + "/new.tar"), "");
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "new"));
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "new.tar"));
}

TEST(CheckOutput, RefusesWhatWouldFailAfterTheBuild) {
  const support::TempFolder folder;
  const std::string top = folder.path().string();
  std::ofstream(folder.path() / "file") << "x";
  std::filesystem::create_directories(folder.path() / "full");
  std::ofstream(folder.path() / "full/file") << "x";
  EXPECT_THAT(Refusal("oci:" + top + "/file"), HasSubstr("is no OCI layout"));
  EXPECT_THAT(Refusal("oci:" + top + "/full"), HasSubstr("is no OCI layout"));
  EXPECT_THAT(Refusal("oci:" + top + "/file/below"), HasSubstr("Not a directory"));
  EXPECT_THAT(Refusal("oci-archive:" + top + "/full"), HasSubstr("is a directory"));
  EXPECT_THAT(Refusal("oci-archive:" + top + "/none/a.tar"), HasSubstr("there is no folder"));
  specs::ImageSection two = TheImage();
  two.platforms = {{specs::Architecture::kAmd64}, {specs::Architecture::kArm64}};
  EXPECT_THAT(Refusal("docker-archive:" + top + "/a.tar", two), HasSubstr("--platform"));
}

// Keeps what its tasks are told.
class WatchedProgress : public support::QuietProgress {
 public:
  std::unique_ptr<ProgressTask> Begin(std::string_view label, ProgressUnit unit) override {
    EXPECT_EQ(unit, ProgressUnit::kBytes);
    log_ += fmt::format("{}\n", label);
    return std::make_unique<Task>(*this);
  }
  const std::string& log() const { return log_; }
  std::uint64_t done() const { return done_; }
  std::uint64_t total() const { return total_; }

 private:
  struct Task : ProgressTask {
    explicit Task(WatchedProgress& owner) : progress(owner) {}
    void SetTotal(std::uint64_t total) override { progress.total_ += total; }
    void Advance(std::uint64_t amount) override { progress.done_ += amount; }
    void SetDetail(std::string_view detail) override {
      progress.log_ += fmt::format("  {}\n", detail);
    }
    void Finish(std::string_view summary) override { progress.log_ += summary; }
    WatchedProgress& progress;
  };

  std::string log_;
  std::atomic<std::uint64_t> done_ = 0;
  std::uint64_t total_ = 0;
};

TEST(WriteOutput, HasABarWhereThereIsSomethingToWrite) {
  const support::TempFolder folder;
  layers::Store store(folder.path() / "cache");
  const layers::Image image =
      layers::PublishImage(store, {layers::PublishPlatform(store, {}, {}, {})}, {});
  for (const std::string& transport :
       {std::string("oci"), std::string("oci-archive"), std::string("docker-archive")}) {
    const Output output =
        ParseOutput(fmt::format("{}:{}/{}", transport, folder.path().string(), transport),
                    {.name = "notebook", .tags = {"v1"}});
    WatchedProgress progress;
    WriteOutput(output, image, store, progress);
    EXPECT_EQ(progress.log(), fmt::format("Writing the image\n  {}\n", output.Render()));
    EXPECT_GT(progress.total(), 0u);
    EXPECT_EQ(progress.done(), progress.total());
  }
  WatchedProgress progress;
  WriteOutput(ParseOutput(fmt::format("oci:{}/oci", folder.path().string()),
                          {.name = "notebook", .tags = {"v1"}}),
              image, store, progress);
  EXPECT_EQ(progress.log(), "");
}

}  // namespace
}  // namespace imgbuild::builder
