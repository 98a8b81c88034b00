// A cache that went wrong on its disk: every entry of a kind, its size unchanged. The next build
// heals it by itself and gives the same image.
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "layers/io/file.h"
#include "specs/base/digest.h"
#include "tests/support/mini_registry.h"
#include "tests/support/temp_folder.h"
#include "tests/whole_build/layout_reader.h"
#include "tests/whole_build/world.h"

namespace imgbuild::whole_build {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr char kSpecToDamage[] = R"(format = 1
[image]
name = "small"
platforms = ["linux/amd64"]
[system]
keyring = "archive.gpg"
[python]
version = "3.11"
packages = ["pip"]
compile = "none"
[[artifacts]]
url = "http://files.example/tool"
sha256 = "{}"
to = "/usr/local/bin/tool"
)";

class DamagedCache : public testing::Test {
 protected:
  DamagedCache() {
    std::string spec(kSpecToDamage);
    spec.replace(spec.find("{}"), 2, world_.tool_sha256());
    std::ofstream(folder_.path() / "small.toml") << spec;
    std::ofstream(folder_.path() / "archive.gpg", std::ios::binary) << world_.public_key();
    const Ended first = Build();
    EXPECT_EQ(first.status, 0) << first.output;
    index_ = layers::ReadFile(layout_ / "index.json");
  }

  Ended Build(const std::vector<std::string>& more = {}) {
    Invocation run{.folder = folder_.path(),
                   .cache = cache_,
                   .arguments = {"build", "small.toml", "--plain"},
                   .environment = {}};
    run.arguments.insert(run.arguments.end(), more.begin(), more.end());
    return Execute(world_, run);
  }

  // Inverts a byte in the middle of every file; how many there were.
  std::size_t Damage(const std::string& kind) {
    std::size_t files = 0;
    for (const auto& entry : fs::recursive_directory_iterator(cache_ / kind)) {
      if (!entry.is_regular_file() || entry.file_size() == 0) continue;
      fs::permissions(entry.path(), fs::perms::owner_write, fs::perm_options::add);
      std::string bytes = layers::ReadFile(entry.path());
      bytes[bytes.size() / 2] = static_cast<char>(~bytes[bytes.size() / 2]);
      std::ofstream(entry.path(), std::ios::binary) << bytes;
      ++files;
    }
    return files;
  }
  void Lose(const std::vector<std::string>& kinds) {
    for (const std::string& kind : kinds) fs::remove_all(cache_ / kind);
    fs::remove_all(layout_);
  }

  void ExpectHealed(std::vector<std::string> more = {}) {
    more.emplace_back("--locked");
    const Ended again = Build(more);
    EXPECT_EQ(again.status, 0) << again.output;
    EXPECT_EQ(layers::ReadFile(layout_ / "index.json"), index_);
    EXPECT_NO_THROW(ReadLayout(layout_));
    const Ended verified = Execute(
        world_, {.folder = folder_.path(), .cache = cache_, .arguments = {"cache", "verify"}});
    EXPECT_THAT(verified.output, testing::StartsWith("0 wrong entries"));
  }

  // The image is there, and each blob is what its name says.
  static void ExpectWhole(const support::MiniRegistry& registry) {
    EXPECT_EQ(registry.tags().size(), 1u);
    EXPECT_GT(registry.blobs().size(), 2u);
    for (const auto& [name, bytes] : registry.blobs()) {
      EXPECT_EQ(name, "team/app@" + specs::HashOf(bytes).Oci());
    }
  }

  World world_;
  support::TempFolder folder_;
  fs::path cache_ = folder_.path() / "cache";
  fs::path layout_ = folder_.path() / "small.oci";
  std::string index_;
};

TEST_F(DamagedCache, DownloadsAreFetchedAgain) {
  EXPECT_GT(Damage("downloads"), 3u);
  Lose({"actions", "packages", "frames"});
  ExpectHealed();
}

// Each thread that finds a wheel damaged asks the index where to fetch it.
TEST_F(DamagedCache, DownloadsAreFetchedAgainWithOneThread) {
  Damage("downloads");
  Lose({"actions", "packages", "frames"});
  fs::remove_all(cache_ / "index/python");
  ExpectHealed({"-j1"});
}

TEST_F(DamagedCache, DownloadsThatCannotBeFetchedAgainAreToldAbout) {
  Damage("downloads");
  Lose({"actions", "packages", "frames"});
  const Ended again = Build({"--locked", "--offline"});
  EXPECT_EQ(again.status, 1) << again.output;
  EXPECT_THAT(again.output, HasSubstr("turned out damaged in the cache"));
  EXPECT_THAT(again.output, HasSubstr("--offline"));
  EXPECT_FALSE(fs::exists(layout_));
  ExpectHealed();
}

TEST_F(DamagedCache, FramesAreMadeAgain) {
  EXPECT_GT(Damage("frames"), 3u);
  Lose({"actions", "blobs"});
  ExpectHealed();
}

TEST_F(DamagedCache, FactsAreMadeAgain) {
  EXPECT_GT(Damage("packages"), 3u);
  Lose({"actions"});
  ExpectHealed();
}

TEST_F(DamagedCache, BlobsAreMadeAgain) {
  EXPECT_GT(Damage("blobs"), 3u);
  Lose({});
  ExpectHealed();
}

TEST_F(DamagedCache, BlobsOfArchivesAreMadeAgain) {
  Damage("blobs");
  const Ended again = Build({"--locked", "-o", "oci-archive:small.tar"});
  EXPECT_EQ(again.status, 0) << again.output;
  Lose({});
  ExpectHealed();
}

// A registry is sent none of it.
TEST_F(DamagedCache, BlobsThatArePushedAreMadeAgain) {
  EXPECT_GT(Damage("blobs"), 3u);
  const support::MiniRegistry registry;
  const Ended pushed =
      Build({"--locked", "--insecure", "--push", "docker://" + registry.host() + "/team/app:1"});
  EXPECT_EQ(pushed.status, 0) << pushed.output;
  ExpectWhole(registry);
  Lose({});
  ExpectHealed();
}

TEST_F(DamagedCache, BlobsOfArchivesThatArePushedAreReadAgain) {
  EXPECT_EQ(Build({"--locked", "-o", "oci-archive:small.tar"}).status, 0);
  Damage("blobs");
  const support::MiniRegistry registry;
  const Ended pushed =
      Execute(world_, {.folder = folder_.path(),
                       .cache = cache_,
                       .arguments = {"push", "--insecure", "oci-archive:small.tar",
                                     "docker://" + registry.host() + "/team/app:1"},
                       .environment = {}});
  EXPECT_EQ(pushed.status, 0) << pushed.output;
  ExpectWhole(registry);
}

TEST_F(DamagedCache, ActionsAreMadeAgain) {
  EXPECT_GT(Damage("actions"), 1u);
  Lose({});
  ExpectHealed();
}

TEST_F(DamagedCache, EverythingAtOnceIsMadeAgain) {
  for (const char* kind : {"downloads", "frames", "packages", "blobs", "actions"}) Damage(kind);
  Lose({});
  // What nothing led to is still there, wrong: only what was used is healed.
  const Ended again = Build({"--locked"});
  EXPECT_EQ(again.status, 0) << again.output;
  EXPECT_EQ(layers::ReadFile(layout_ / "index.json"), index_);
  EXPECT_NO_THROW(ReadLayout(layout_));
}

TEST_F(DamagedCache, AnEmptiedCacheIsFilledAgain) {
  fs::remove_all(cache_);
  fs::remove_all(layout_);
  ExpectHealed();
}

}  // namespace
}  // namespace imgbuild::whole_build
