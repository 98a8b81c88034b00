// The whole program, from spec to layout, without any network but loopback.
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <map>
#include <random>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "layers/io/file.h"
#include "tests/support/temp_folder.h"
#include "tests/whole_build/layout_reader.h"
#include "tests/whole_build/world.h"

namespace imgbuild::whole_build {
namespace {

namespace fs = std::filesystem;
using layers::ArchiveType;
using testing::HasSubstr;
using testing::Not;

constexpr char kSmall[] = R"(format = 1
[image]
name = "small"
platforms = ["linux/amd64"]
[system]
keyring = "archive.gpg"
[python]
version = "3.11"
packages = ["pip"]
compile = "none"
)";

constexpr char kLarge[] = R"(format = 1
[image]
name = "large"
platforms = ["linux/amd64", "linux/arm64"]
[system]
keyring = "archive.gpg"
[python]
version = "3.11"
packages = ["jupyterlab", "numpy"]
compile = "none"
[[python.layers]]
name = "web"
packages = ["fastapi", "python-fasthtml", "pip"]
[[files]]
from = "app"
to = "/srv/app"
[[artifacts]]
url = "http://files.example/tool?private_token=unspoken"
sha256 = "{}"
to = "/usr/local/bin/tool"
mode = "0755"
[services.jupyter]
preset = "jupyterlab"
[services.web]
preset = "fasthtml"
app = "main:app"
dir = "/srv/app"
)";

// Synced writes to a disk would take most of the time; a killed process leaves the same behind in
// memory.
fs::path FastestFolder() {
  std::error_code error;
  const fs::path memory = "/dev/shm";
  const bool roomy = fs::space(memory, error).available > (1ull << 30) && !error;
  return roomy ? memory : fs::temp_directory_path();
}

class WholeBuild : public testing::Test {
 protected:
  // A folder with the specs and an application.
  fs::path Project(const std::string& name) {
    const fs::path project = folder_.path() / name;
    fs::create_directories(project / "app/static");
    Write(project / "small.toml", kSmall);
    std::string large(kLarge);
    large.replace(large.find("{}"), 2, world_.tool_sha256());
    Write(project / "large.toml", large);
    // The same without the package that is only there for its size.
    Write(project / "medium.toml", large.erase(large.find(", \"numpy\""), 9));
    Write(project / "archive.gpg", world_.public_key());
    Write(project / "app/main.py", "app = None\n");
    Write(project / "app/static/page.css", "p {}\n");
    return project;
  }
  static void Write(const fs::path& path, const std::string& text) {
    std::ofstream(path, std::ios::binary) << text;
  }

  Invocation Build(const fs::path& project, const std::string& spec) {
    return {.folder = project,
            .cache = folder_.path() / "cache",
            .arguments = {"build", spec + ".toml", "--plain"},
            .environment = {}};
  }
  // The output of a run that succeeds.
  std::string Succeed(const Invocation& run) {
    const Ended ended = Execute(world_, run);
    EXPECT_EQ(ended.status, 0) << ended.output;
    return ended.output;
  }
  static std::string Index(const fs::path& layout) {
    return layers::ReadFile(layout / "index.json");
  }
  void ExpectSound(const fs::path& cache) {
    const Ended ended = Execute(
        world_, {.folder = folder_.path(), .cache = cache, .arguments = {"cache", "verify"}});
    EXPECT_EQ(ended.status, 0) << ended.output;
    EXPECT_THAT(ended.output, testing::StartsWith("0 wrong entries"));
  }

  World world_;
  support::TempFolder folder_{FastestFolder()};
};

TEST_F(WholeBuild, AnUnchangedSpecBuildsNothingAndAsksNobody) {
  for (const char* spec : {"small", "large"}) {
    const fs::path project = Project(spec);
    const fs::path layout = project / (std::string(spec) + ".oci");
    Succeed(Build(project, spec));
    const std::string index = Index(layout);
    const std::string lock = layers::ReadFile(project / (std::string(spec) + ".lock"));
    world_.Restart();
    EXPECT_THAT(Succeed(Build(project, spec)), HasSubstr("(unchanged)"));
    EXPECT_EQ(world_.requests(), 0u);
    EXPECT_EQ(Index(layout), index);
    EXPECT_EQ(layers::ReadFile(project / (std::string(spec) + ".lock")), lock);
    fs::remove_all(layout);
    Invocation offline = Build(project, spec);
    offline.arguments.insert(offline.arguments.end(), {"--offline", "--locked"});
    Succeed(offline);
    EXPECT_EQ(Index(layout), index);
  }
  ExpectSound(folder_.path() / "cache");
}

// What packages bring, in another way than the program itself finds it.
void ExpectPackages(const World& world, const ReadPlatform& platform,
                    const std::map<std::string, Entry>& all) {
  const std::string architecture =
      platform.config.platform.architecture == specs::Architecture::kAmd64 ? "amd64" : "arm64";
  auto expect_file = [&](const std::string& path, const std::string& content) {
    ASSERT_TRUE(all.contains(path)) << path;
    EXPECT_EQ(all.at(path).head.type, ArchiveType::kFile) << path;
    EXPECT_TRUE(all.at(path).content == content) << path;
  };
  for (const support::MiniDeb& deb : world.debs()) {
    if (deb.architecture != "all" && deb.architecture != architecture) continue;
    for (const auto& [path, content] : deb.files) {
      expect_file(path.starts_with("bin/") ? "usr/" + path : path, content);
    }
    for (const auto& [path, target] : deb.links) EXPECT_EQ(all.at(path).head.target, target);
    EXPECT_THAT(all.at("var/lib/dpkg/status.d/" + deb.name).content,
                HasSubstr("Version: " + deb.version + "\n"));
  }
  for (const auto& [path, content] : world.modules()) {
    expect_file("opt/venv/lib/python3.11/site-packages/" + path, content);
  }
}

// One line for each path: type, mode, owner and target.
std::string Listing(const std::map<std::string, Entry>& all) {
  std::string text;
  for (const auto& [path, entry] : all) {
    const layers::ArchiveEntry& head = entry.head;
    const char type = head.type == ArchiveType::kDirectory ? 'd'
                      : head.type == ArchiveType::kSymlink ? 'l'
                      : head.type == ArchiveType::kFile    ? '-'
                                                           : '?';
    text += fmt::format("{}{:04o} {}:{} {}{}\n", type, head.mode, head.uid, head.gid, path,
                        head.target.empty() ? "" : " -> " + head.target);
  }
  return text;
}

// IMGBUILD_ACCEPT=1 writes what came instead of comparing.
void ExpectGolden(const std::string& name, const std::string& text) {
  const fs::path path = fs::path("tests/whole_build") / name;
  if (std::getenv("IMGBUILD_ACCEPT") != nullptr) {
    std::ofstream(path) << text;
    GTEST_SKIP() << path << " was written";
  }
  EXPECT_EQ(text, layers::ReadFile(path));
}

TEST_F(WholeBuild, LayersTogetherAreExactlyTheTree) {
  const fs::path project = Project("project");
  Succeed(Build(project, "large"));
  const ReadImage image = ReadLayout(project / "large.oci");
  ASSERT_EQ(image.platforms.size(), 2u);
  std::string listing;
  for (const ReadPlatform& platform : image.platforms) {
    const std::map<std::string, Entry> all = platform.Union();
    ExpectPackages(world_, platform, all);
    EXPECT_EQ(all.at("srv/app/main.py").content, "app = None\n");
    EXPECT_EQ(all.at("usr/local/bin/tool").head.mode, 0755u);
    listing += platform.config.platform.Render() + "\n" + Listing(all);
  }
  ExpectGolden("large_tree.txt", listing);
}

// A directory that several layers repeat must be the same in each, or their order would matter.
TEST_F(WholeBuild, LayersAgreeAboutTheirDirectories) {
  const fs::path project = Project("project");
  Succeed(Build(project, "large"));
  for (const ReadPlatform& platform : ReadLayout(project / "large.oci").platforms) {
    std::map<std::string, layers::ArchiveEntry> directories;
    for (const ReadLayer& layer : platform.layers) {
      for (const Entry& entry : layer.entries) {
        if (entry.head.type != ArchiveType::kDirectory) continue;
        const layers::ArchiveEntry& first =
            directories.emplace(entry.head.path, entry.head).first->second;
        EXPECT_EQ(first.mode, entry.head.mode) << entry.head.path;
        EXPECT_EQ(first.uid, entry.head.uid) << entry.head.path;
        EXPECT_EQ(first.gid, entry.head.gid) << entry.head.path;
        EXPECT_EQ(first.mtime, entry.head.mtime) << entry.head.path;
      }
    }
  }
}

TEST_F(WholeBuild, EveryDigestRecomputesInBothCompressions) {
  const fs::path project = Project("project");
  std::vector<std::vector<specs::Sha256>> diff_ids;
  for (const char* compression : {"zstd", "gzip"}) {
    Invocation run = Build(project, "large");
    run.arguments.insert(run.arguments.end(), {"--compression", compression});
    Succeed(run);
    const ReadImage image = ReadLayout(project / "large.oci");  // throws where one is wrong
    for (const ReadPlatform& platform : image.platforms) {
      diff_ids.push_back(platform.config.diff_ids);
      for (const specs::Descriptor& layer : platform.manifest.layers) {
        EXPECT_THAT(layer.media_type, testing::EndsWith(compression));
      }
    }
  }
  ASSERT_EQ(diff_ids.size(), 4u);
  EXPECT_EQ(diff_ids[0], diff_ids[2]) << "the compression changed a layer's content";
  EXPECT_EQ(diff_ids[1], diff_ids[3]);
}

TEST_F(WholeBuild, NoHostOrCredentialIsInAnyByte) {
  const fs::path project = Project("project");
  Invocation run = Build(project, "large");
  const fs::path trace = folder_.path() / "trace.json";
  run.arguments.insert(run.arguments.end(), {"-v", "--trace", trace.string()});
  const std::string output = Succeed(run);
  const ReadImage image = ReadLayout(project / "large.oci");
  for (const std::string& secret :
       {std::string(kPassword), std::string(kUser), world_.host(), folder_.path().string(),
        std::string("files.example"), std::string("unspoken")}) {
    for (const auto& [name, bytes] : image.files) {
      EXPECT_EQ(bytes.find(secret), bytes.npos) << secret << " is in " << name;
    }
    for (const ReadPlatform& platform : image.platforms) {
      for (std::size_t i = 0; i < platform.layers.size(); ++i) {
        EXPECT_EQ(platform.layers[i].tar.find(secret), std::string::npos)
            << secret << " is in layer " << i;
      }
    }
    EXPECT_THAT(layers::ReadFile(project / "large.lock"), Not(HasSubstr(secret)));
  }
  const std::string timeline = layers::ReadFile(trace);
  for (const char* secret : {kPassword, "unspoken"}) {
    EXPECT_THAT(output, Not(HasSubstr(secret)));
    EXPECT_THAT(timeline, Not(HasSubstr(secret)));
  }
  for (const char* part : {"\"Resolving Python packages\"", "\"Downloads\"", "\"fastapi\""}) {
    EXPECT_THAT(timeline, HasSubstr(part));
  }
}

TEST_F(WholeBuild, ThreadsPlaceTimeAndRightsChangeNoByte) {
  const fs::path one = Project("one");
  Invocation run = Build(one, "large");
  run.arguments.push_back("-j1");
  Succeed(run);
  const fs::path other = Project("other/and/deeper");
  fs::permissions(other / "app/main.py", fs::perms::owner_read);
  fs::last_write_time(other / "app/main.py",
                      fs::file_time_type::clock::now() - std::chrono::hours(9999));
  world_.Restart();
  Invocation eight = Build(other, "large");
  eight.arguments.push_back("-j8");
  eight.cache = folder_.path() / "cache8";
  eight.environment = {{"TZ", "Asia/Tokyo"}, {"LC_ALL", "C.UTF-8"}};
  eight.umask = 077;
  Succeed(eight);
  EXPECT_EQ(Index(one / "large.oci"), Index(other / "large.oci"));
  EXPECT_EQ(layers::ReadFile(one / "large.lock"), layers::ReadFile(other / "large.lock"));
  ExpectSound(eight.cache);
}

TEST_F(WholeBuild, CheckBuildsTheSameAgain) {
  const fs::path project = Project("project");
  Invocation run = Build(project, "large");
  run.arguments.push_back("--check");
  EXPECT_THAT(Succeed(run), HasSubstr("gives the same image"));
}

// Of each layer, and of what it is made of where that is not there yet.
TEST_F(WholeBuild, APlanSaysWhatIsCached) {
  const fs::path project = Project("project");
  Invocation plan = Build(project, "small");
  plan.arguments = {"plan", "small.toml", "--json"};
  const auto layers = [&](const std::string& output) {
    std::map<std::string, nlohmann::json> found;
    const nlohmann::json event = nlohmann::json::parse(output.substr(output.rfind("{\"event\"")));
    EXPECT_EQ(event["event"], "plan");
    for (const nlohmann::json& layer : event["layers"]) found[layer["name"]] = layer;
    found["plan"] = event;
    return found;
  };
  auto cold = layers(Succeed(plan));
  EXPECT_GT(cold["plan"]["to-download"], 1000);
  EXPECT_FALSE(cold["base"].contains("cached"));
  EXPECT_EQ(cold["base"]["packages"][0]["files-cached"], false);

  Succeed(Build(project, "small"));
  world_.Restart();
  auto warm = layers(Succeed(plan));
  EXPECT_EQ(warm["plan"]["unchanged"], true);
  EXPECT_EQ(warm["plan"]["to-download"], 0);
  const ReadPlatform image = ReadLayout(project / "small.oci").platforms.front();
  ASSERT_EQ(warm["plan"]["layers"].size(), image.manifest.layers.size());
  for (std::size_t i = 0; i < image.manifest.layers.size(); ++i) {
    EXPECT_EQ(warm["plan"]["layers"][i]["digest"], image.manifest.layers[i].digest.Oci());
    EXPECT_EQ(warm["plan"]["layers"][i]["size"], image.manifest.layers[i].size);
  }

  plan.arguments.push_back("--set");
  plan.arguments.push_back("image.env={A=\"b\"}");
  auto changed = layers(Succeed(plan));
  EXPECT_EQ(changed["plan"]["unchanged"], false);
  EXPECT_EQ(changed["base"]["cached"], true);
  EXPECT_EQ(changed["state"]["cached"], false);
  EXPECT_EQ(world_.requests(), 0u);

  plan.arguments = {"plan", "small.toml"};
  EXPECT_THAT(Succeed(plan), testing::ContainsRegex("base  .* cached, "));
}

std::size_t FilesBelow(const fs::path& folder) {
  std::size_t files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    files += entry.is_regular_file() ? 1 : 0;
  }
  return files;
}

TEST_F(WholeBuild, ACollectedCacheBuildsTheSameAgain) {
  const fs::path project = Project("project");
  const Invocation build = Build(project, "small");
  Succeed(build);
  Succeed({.folder = project, .cache = build.cache, .arguments = {"cache", "gc", "--max-age=0s"}});
  EXPECT_EQ(FilesBelow(build.cache / "downloads"), 0u);
  const ReadImage kept = ReadLayout(project / "small.oci");
  for (const specs::Descriptor& layer : kept.platforms.front().manifest.layers) {
    const std::string hex = layer.digest.Hex();
    EXPECT_TRUE(fs::exists(build.cache / "blobs/sha256" / hex.substr(0, 2) / hex)) << "in use";
  }
  const std::string index = Index(project / "small.oci");
  fs::remove_all(project / "small.oci");
  Succeed({.folder = project, .cache = build.cache, .arguments = {"cache", "gc", "--max-size=0B"}});
  EXPECT_EQ(FilesBelow(build.cache / "blobs"), 0u);
  Succeed(build);
  EXPECT_EQ(Index(project / "small.oci"), index);
  ExpectSound(build.cache);
}

TEST_F(WholeBuild, SpecsInOneLayoutKeepApart) {
  const fs::path project = Project("project");
  for (const char* spec : {"small", "medium"}) {
    Invocation build = Build(project, spec);
    build.arguments.insert(build.arguments.end(), {"-o", "oci:all"});
    Succeed(build);
  }
  const std::string index = Index(project / "all");
  EXPECT_THAT(index, HasSubstr("\"org.opencontainers.image.ref.name\":\"small\""));
  EXPECT_THAT(index, HasSubstr("\"org.opencontainers.image.ref.name\":\"large\""));
}

// A change moves its own layer and nothing else.
TEST_F(WholeBuild, AnEditedFileMovesOneLayer) {
  const fs::path project = Project("project");
  Succeed(Build(project, "large"));
  const ReadImage before = ReadLayout(project / "large.oci");
  Write(project / "app/main.py", "app = 1\n");
  Succeed(Build(project, "large"));
  const ReadImage after = ReadLayout(project / "large.oci");
  for (std::size_t p = 0; p < before.platforms.size(); ++p) {
    const auto& old_layers = before.platforms[p].manifest.layers;
    const auto& new_layers = after.platforms[p].manifest.layers;
    ASSERT_EQ(old_layers.size(), new_layers.size());
    std::size_t moved = 0;
    for (std::size_t i = 0; i < old_layers.size(); ++i) moved += old_layers[i] != new_layers[i];
    EXPECT_EQ(moved, 1u);
  }
}

// Power goes, or the kernel ends it: at any instant, and often in a row.
class KilledBuild : public WholeBuild, public testing::WithParamInterface<std::uint32_t> {};

TEST_P(KilledBuild, IsFinishedByTheNextRun) {
  const fs::path whole = Project("whole");
  Invocation clean = Build(whole, "medium");
  clean.cache = folder_.path() / "clean";
  const auto begin = std::chrono::steady_clock::now();
  Succeed(clean);
  const auto cold = std::chrono::duration_cast<std::chrono::microseconds>(
      std::chrono::steady_clock::now() - begin);
  std::mt19937 random(GetParam());
  std::uniform_int_distribution<std::int64_t> instant(0, cold.count());
  constexpr int kRounds = 10;
  for (int round = 0; round < kRounds; ++round) {
    world_.Restart();
    const fs::path project = Project("killed" + std::to_string(round));
    Invocation run = Build(project, "medium");
    run.cache = folder_.path() / ("cache" + std::to_string(round));
    run.arguments.push_back(round % 2 == 0 ? "-j4" : "-j1");
    const std::size_t kills = 1 + random() % 4;
    for (std::size_t k = 0; k < kills; ++k) {
      Execute(world_, run, std::chrono::microseconds(instant(random)));
    }
    Succeed(run);
    EXPECT_EQ(Index(project / "large.oci"), Index(whole / "large.oci")) << "round " << round;
    EXPECT_EQ(layers::ReadFile(project / "medium.lock"), layers::ReadFile(whole / "medium.lock"));
    EXPECT_NO_THROW(ReadLayout(project / "large.oci")) << "round " << round;
    ExpectSound(run.cache);
    fs::remove_all(run.cache);
    fs::remove_all(project);
  }
}

#ifdef IMGBUILD_SANITIZED  // ten times slower: the others are for the program as it is
INSTANTIATE_TEST_SUITE_P(Seeds, KilledBuild, testing::Values(1u, 2u));
#else
INSTANTIATE_TEST_SUITE_P(Seeds, KilledBuild, testing::Values(1u, 2u, 3u, 4u, 5u));
#endif

}  // namespace
}  // namespace imgbuild::whole_build
