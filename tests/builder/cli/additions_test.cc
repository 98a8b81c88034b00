#include "builder/cli/additions.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/builder/engine/fake_engine.h"
#include "tests/support/temp_folder.h"

namespace imgbuild::builder {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;

TEST(AddedPackages, AreWhatTheContainerSays) {
  const FakeEngine fake("podman", "printf 'tqdm==4.66\\nrich==13.7.1\\n'");
  EXPECT_THAT(AddedPackages(fake.Get(EngineKind::kPodman, "podman"), "imgbuild-nb"),
              ElementsAre("rich==13.7.1", "tqdm==4.66"));
  EXPECT_TRUE(fake.told().starts_with("exec imgbuild-nb python3 -c "));
  const FakeEngine none("podman", "echo no such program; exit 127");
  EXPECT_THAT(AddedPackages(none.Get(EngineKind::kPodman, "podman"), "imgbuild-nb"), IsEmpty());
}

constexpr const char* kSite = "opt/venv/lib/python3.11/site-packages";

// As pip leaves it; `requested` is a file's name, or "" for none.
void Install(const fs::path& root, const std::string& info, const std::string& name,
             const std::string& version, const std::string& requested = "REQUESTED") {
  const fs::path folder = root / kSite / info;
  fs::create_directories(folder);
  std::ofstream(folder / "METADATA")
      << "Metadata-Version: 2.1\nName: " << name << "\nVersion: " << version << "\n\nText\n";
  if (!requested.empty()) std::ofstream(folder / requested) << "";
}

TEST(WrittenPackages, AreThoseThatWereAskedForAndTheImageDoesNotHave) {
  const support::TempFolder folder;
  const fs::path root = folder.path() / "root";
  fs::create_directories(root);
  const RootFolder written(root);
  EXPECT_THAT(WrittenPackages(written, kSite, ""), IsEmpty());
  Install(root, "tqdm-4.66.dist-info", "tqdm", "4.66");
  Install(root, "Rich_Click-1.8.dist-info", "Rich.Click", "1.8");
  Install(root, "markdown_it-3.0.dist-info", "markdown-it", "3.0", "");  // came along
  Install(root, "Some_Thing-1.0.dist-info", "Some.Thing", "1.0");        // installed once more
  Install(root, "numpy-2.1.dist-info", "numpy", "2.1");                  // another version
  Install(root, "broken-1.dist-info", "broken", "no version");
  EXPECT_THAT(
      WrittenPackages(written, kSite, "some-thing 1.0 wheel default\nnumpy 2.0 wheel default\n"),
      ElementsAre("Rich.Click==1.8", "numpy==2.1", "tqdm==4.66"));
}

// What a container wrote does not say what lies outside of it.
TEST(WrittenPackages, LinksLeadNowhereElse) {
  const support::TempFolder folder;
  Install(folder.path() / "outside", "secret-1.0.dist-info", "secret", "1.0");
  const fs::path root = folder.path() / "root";
  fs::create_directories(root / "opt");
  fs::create_symlink(folder.path() / "outside/opt/venv", root / "opt/venv");
  EXPECT_THAT(WrittenPackages(RootFolder(root), kSite, ""), IsEmpty());
}

TEST(AddedPackages, AreToldWithWhatKeepsThem) {
  EXPECT_EQ(RenderAdded({"rich==13.7.1", "tqdm==4.66"}, " --spec nb.toml"),
            "Installed while it ran, and gone with it: rich==13.7.1, tqdm==4.66\n"
            "To keep them: imgbuild add rich tqdm --spec nb.toml");
}

TEST(SpecOption, NamesTheSpecFromHere) {
  const std::string here = std::filesystem::current_path().string();
  EXPECT_EQ(SpecOption(""), "");
  EXPECT_EQ(SpecOption(here + "/spec.toml"), "");
  EXPECT_EQ(SpecOption(here + "/envs/nb.toml"), " --spec envs/nb.toml");
  EXPECT_EQ(SpecOption("/srv/nb.toml"), " --spec /srv/nb.toml");
}

}  // namespace
}  // namespace imgbuild::builder
