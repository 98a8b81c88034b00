#include "specs/env/canonical.h"

#include <filesystem>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "specs/env/spec_keys.h"
#include "tests/specs/env/fake_files.h"

namespace imgbuild::specs {
namespace {

using testing::HasSubstr;
using testing::Not;

std::optional<std::string> ReadDisk(const std::string& path) {
  std::ifstream file(path);
  if (!file) return std::nullopt;
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

LoadedSpec LoadExample(const std::string& path) {
  return LoadSpec({path, LocalOverlay::kIgnore, {}, ReadDisk});
}

std::vector<std::string> Examples() {
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::directory_iterator("specs/examples")) {
    if (entry.path().extension() == ".toml") paths.push_back(entry.path().string());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

TEST(Examples, AreFiveAndSayWhatTheyAre) {
  EXPECT_EQ(Examples().size(), 5u);
  for (const std::string& path : Examples()) {
    EXPECT_TRUE(ReadDisk(path)->starts_with("# ")) << path;
    LoadedSpec loaded = LoadExample(path);
    EXPECT_EQ(loaded.spec.image.name, std::filesystem::path(path).stem().string());
    EXPECT_FALSE(loaded.spec.cuda.enabled) << path;
  }
  EXPECT_EQ(LoadExample("specs/examples/v5-notebook.toml").spec.services.size(), 2u);
}

TEST(Canonical, OfExamplesParsesToTheSameSpec) {
  for (const std::string& path : Examples()) {
    LoadedSpec loaded = LoadExample(path);
    std::string text = RenderCanonical(loaded.spec, loaded.sources.folder);
    LoadedSpec again = LoadText(text);
    EXPECT_EQ(again.spec, loaded.spec) << text;
    EXPECT_EQ(RenderCanonical(again.spec, again.sources.folder), text);
  }
}

constexpr char kFull[] = R"toml(
[image]
name = "a"
platforms = ["linux/arm64", "linux/amd64"]
env = { AB = "x" }
labels = { "org.example.x" = "q\"\\\n" }
command = ["python3", "-c", "print(1)"]
allow-missing-libraries = ["libx.so.1"]
[system]
packages = ["git"]
mirror = "https://mirror.example/debian"
keyring = "keys.gpg"
certificates = ["certs/corp.crt"]
[python]
packages = ["a", "./w/x-1-py3-none-any.whl"]
constraints = ["b<2"]
prereleases = "allow"
exclude-newer = 2026-11-01T10:00:00Z
[[python.layers]]
name = "web"
packages = ["uvicorn"]
[[python.indexes]]
name = "internal"
url = "https://index.example/simple/"
[cuda]
enabled = true
version = "13.1"
[[files]]
from = "app"
to = "/srv"
exclude = ["*.pyc"]
[[artifacts]]
url = "https://files.example/x?private_token=abc"
sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
to = "/opt/x"
[services.web]
preset = "uvicorn"
app = "m:a"
env = { B = "1" }
ready = { http = "/x", timeout = "3s", port = 9 }
[services.z]
command = ["z"]
after = ["web"]
)toml";

TEST(Canonical, LeavesTheHostOut) {
  LoadedSpec loaded = LoadText(kFull);
  std::string text = RenderCanonical(loaded.spec, ".");
  for (const char* host :
       {"mirror.example", "index.example", "keys.gpg", "files.example", "token"}) {
    EXPECT_THAT(text, Not(HasSubstr(host)));
  }
  // Where artifacts come from has to be told again.
  EXPECT_THAT(ComplaintAbout(text), HasSubstr("artifacts[0].url is missing"));
  LoadedSpec again = LoadCanonical(text, loaded.spec.artifacts[0].url);
  Spec expected = loaded.spec;
  expected.system.mirror.reset();
  expected.system.keyring.reset();
  expected.python.indexes[0].url.reset();
  EXPECT_EQ(again.spec, expected) << text;
}

TEST(Canonical, IsTheSameWhereverTheSpecLies) {
  FakeFiles here{{{"spec.toml", kFull}}};
  FakeFiles there{{{"/home/me/envs/spec.toml", kFull}}};
  LoadedSpec a = here.Load();
  LoadedSpec b = there.Load("/home/me/envs/spec.toml");
  EXPECT_EQ(RenderCanonical(a.spec, a.sources.folder), RenderCanonical(b.spec, b.sources.folder));
  EXPECT_EQ(SpecDigest(a.spec, a.sources.folder), SpecDigest(b.spec, b.sources.folder));
  EXPECT_EQ(ResolutionInputs(a.spec), ResolutionInputs(b.spec));
  Spec outside = LoadText("[[files]]\nfrom = \"/home/me/secret/app\"\nto = \"/a\"").spec;
  EXPECT_THAT(RenderCanonical(outside, "."), HasSubstr("from = \"app\""));
}

TEST(ResolutionInputs, ChangeWithWhatIsResolvedOnly) {
  const Spec base = LoadText(kFull).spec;
  auto changed = [&](auto change) {
    Spec spec = base;
    change(spec);
    return ResolutionInputs(spec) != ResolutionInputs(base);
  };
  EXPECT_TRUE(changed([](Spec& s) { s.system.packages.push_back("curl"); }));
  EXPECT_TRUE(changed([](Spec& s) { s.system.suite = Suite::kTrixie; }));
  EXPECT_TRUE(changed([](Spec& s) { s.system.profile = Profile::kDistroless; }));
  EXPECT_TRUE(changed([](Spec& s) { s.python.layers[1].packages.push_back("rich"); }));
  EXPECT_TRUE(changed([](Spec& s) { s.python.constraints.clear(); }));
  EXPECT_TRUE(changed([](Spec& s) { s.python.exclude_newer.reset(); }));
  EXPECT_TRUE(changed([](Spec& s) { s.python.indexes[0].packages.push_back("x"); }));
  // A lock has its platforms by name: who builds for one of them needs no other lock.
  EXPECT_FALSE(changed([](Spec& s) { s.image.platforms.pop_back(); }));
  EXPECT_TRUE(changed([](Spec& s) { s.cuda.version = "13.0"; }));
  EXPECT_TRUE(changed([](Spec& s) { s.cuda.components.push_back("nccl"); }));
  EXPECT_FALSE(changed([](Spec& s) { s.cuda.enabled = !s.cuda.enabled; }));
  EXPECT_FALSE(changed([](Spec& s) { s.system.mirror = "https://other.example"; }));
  EXPECT_FALSE(changed([](Spec& s) { s.python.indexes[0].url = "https://other.example"; }));
  EXPECT_FALSE(changed([](Spec& s) { s.services.clear(); }));
  EXPECT_FALSE(changed([](Spec& s) { s.image.env["X"] = "y"; }));
  EXPECT_FALSE(changed([](Spec& s) { s.python.compile = Compile::kAll; }));
  EXPECT_FALSE(changed([](Spec& s) { std::swap(s.image.platforms[0], s.image.platforms[1]); }));
}

// docs/spec.md has a row "| `key` |" for each key below the heading of its table.
TEST(SpecDocument, ExplainsEveryKey) {
  std::optional<std::string> document = ReadDisk("docs/spec.md");
  ASSERT_TRUE(document);
  for (const SpecTable& table : SpecTables()) {
    std::string heading =
        table.path.empty() ? "## Top level" : "## `" + std::string(table.path) + "`";
    std::size_t begin = document->find(heading + "\n");
    ASSERT_NE(begin, std::string::npos) << heading;
    std::string section = document->substr(begin, document->find("\n## ", begin + 1) - begin);
    for (std::string_view key : table.keys) {
      EXPECT_THAT(section, HasSubstr("\n| `" + std::string(key) + "` |")) << heading;
    }
  }
}

}  // namespace
}  // namespace imgbuild::specs
