#include "builder/cli/following.h"

#include <fstream>
#include <utility>

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "specs/base/error.h"
#include "tests/builder/engine/fake_engine.h"
#include "tests/support/temp_folder.h"

namespace imgbuild::builder {
namespace {

using testing::UnorderedElementsAre;

TEST(AddressIn, OfAnnouncementsAlone) {
  EXPECT_EQ(AddressIn("JupyterLab is at http://127.0.0.1:8888/lab?token=ab12"),
            "http://127.0.0.1:8888/lab?token=ab12");
  EXPECT_EQ(AddressIn("The page is at http://127.0.0.1:5001/ as ever\r"), "http://127.0.0.1:5001/");
  for (const char* line :
       {"", "The database is at 127.0.0.1:5432", "[jupyter] http://127.0.0.1:8888/lab?token=ab12",
        "imgbuild-init: web waits for http://127.0.0.1:5001/", "see http://example.com"}) {
    EXPECT_EQ(AddressIn(line), "") << line;
  }
}

TEST(AddressIn, OfLogsInColourAndInJson) {
  const std::string coloured = "\033[36m[jupyter]\033[0m http://127.0.0.1:8888/lab?token=ab12";
  EXPECT_EQ(AddressIn(coloured), "");
  const auto json = [](const char* stream) {
    return fmt::format(
        R"({{"time":"x","service":"web","stream":"{}","message":"It is at http://127.0.0.1:5001/"}})",
        stream);
  };
  EXPECT_EQ(AddressIn(json("supervisor")), "http://127.0.0.1:5001/");
  EXPECT_EQ(AddressIn(json("stdout")), "");
  EXPECT_EQ(AddressIn("{\"stream\":"), "");
}

TEST(AnnouncesAddress, OnlyOnesForBrowsers) {
  specs::Spec spec;
  spec.services = {{.name = "db", .announce = "The database is at 127.0.0.1:{port 5432}"}};
  EXPECT_FALSE(AnnouncesAddress(spec));
  spec.services.push_back({.name = "web", .announce = "It is at http://127.0.0.1:{port 80}/"});
  EXPECT_TRUE(AnnouncesAddress(spec));
}

TEST(PlacesOf, AreAllThatAnImageIsMadeOf) {
  const std::map<std::string, std::string> files = {{"envs/spec.toml", R"(extends = "../base.toml"
[system]
certificates = ["corp.crt"]
[python]
packages = ["rich", "./x-1-py3-none-any.whl"]
requirements = ["more.txt", "none.txt"]
pyproject = "."
[[files]]
from = "app"
to = "/srv"
[[artifacts]]
url = "file:///data/model.bin"
sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
to = "/srv/model.bin"
)"},
                                                    {"base.toml", ""},
                                                    {"envs/more.txt", "tqdm\n"},
                                                    // Nothing of it is in the spec, yet.
                                                    {"envs/none.txt", ""},
                                                    {"envs/pyproject.toml", "[project]\n"}};
  const specs::LoadedSpec loaded =
      specs::LoadSpec({.file = "envs/spec.toml",
                       .overlay = specs::LocalOverlay::kApply,
                       .settings = {"image.name=\"x\""},
                       .read_file = [&](const std::string& path) {
                         const auto found = files.find(path);
                         return found == files.end() ? std::nullopt : std::optional(found->second);
                       }});
  EXPECT_THAT(
      PlacesOf(loaded),
      UnorderedElementsAre("envs/spec.toml", "envs/spec.local.toml", "base.toml", "envs/corp.crt",
                           "envs/x-1-py3-none-any.whl", "envs/more.txt", "envs/none.txt",
                           "envs/pyproject.toml", "/data/model.bin", "envs/app"));
}

TEST(OpenerIn, IsWhatPathHas) {
  const support::TempFolder folder;
  const Environment environment =
      Environment::Of({{"PATH", "/nonexistent:" + folder.path().string()}});
  EXPECT_EQ(OpenerIn(environment), "");
  for (const char* name : {"open", "xdg-open"}) {
    const auto file = folder.path() / name;
    std::ofstream(file) << "#!/bin/sh\n";
    EXPECT_NE(OpenerIn(environment), file.string());
    std::filesystem::permissions(file, std::filesystem::perms::owner_all);
    EXPECT_EQ(OpenerIn(environment), file.string());
  }
}

class FollowContainerTest : public testing::Test {
 protected:
  // A spec of the test's own, and an image that the engine knows by that name.
  Container Of(const Engine& engine, const std::string& image) const {
    Container container;
    container.engine = engine;
    container.loaded.sources.file = spec().string();
    container.loaded.sources.files = {spec().string()};
    container.digest = image;
    container.plan.image = image;
    container.plan.container = "imgbuild-nb";
    container.plan.detached = true;
    return container;
  }
  std::filesystem::path spec() const { return folder_.path() / "spec.toml"; }

  support::TempFolder folder_;
  Session session_{GlobalOptions{.cache_dir = folder_.path() / "cache",
                                 .verbosity = Verbosity::kQuiet,
                                 .style = ReportStyle::kPlain}};
};

TEST_F(FollowContainerTest, RemovesWhatEndedWhereTheEngineKeepsIt) {
  for (const auto& [kind, name] :
       {std::pair(EngineKind::kNerdctl, "nerdctl"), std::pair(EngineKind::kDocker, "docker")}) {
    const FakeEngine fake(name, R"(case $1 in
  wait) echo 3 ;;
  ps) printf 'imgbuild-nb\tExited (3) 1 second ago\t\n' ;;
esac)");
    EXPECT_EQ(FollowContainer(session_, Of(fake.Get(kind, name), "image"), {}), 3);
    const bool removed = fake.told().find("rm -f imgbuild-nb\n") != std::string::npos;
    EXPECT_EQ(removed, kind == EngineKind::kNerdctl);
  }
}

// The first one that starts changes the spec, and no other does.
TEST_F(FollowContainerTest, TidiesUpWhereTheNextOneDoesNotStart) {
  const FakeEngine fake("podman", fmt::format(R"(case $1 in
  run) [ ! -f '{0}' ] || exit 125; touch '{0}' ;;
  wait) exec sleep 60 ;;
  image) echo 0 ;;
esac)",
                                              spec().string()));
  const Engine engine = fake.Get(EngineKind::kPodman, "podman");
  FileWatch watch;
  watch.Watch({spec()});
  FollowOptions options;
  options.watch = &watch;
  options.rebuild = [&] { return Of(engine, "new"); };
  EXPECT_THROW(FollowContainer(session_, Of(engine, "old"), options), specs::Error);
  EXPECT_THAT(fake.told(), testing::HasSubstr("\nrmi old\n"));
}

}  // namespace
}  // namespace imgbuild::builder
