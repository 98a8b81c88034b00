#include "specs/env/loader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/specs/env/fake_files.h"

namespace imgbuild::specs {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(LoadSpec, FillsInDefaults) {
  Spec spec = LoadText("").spec;
  EXPECT_EQ(spec.image.name, "spec");
  EXPECT_THAT(spec.image.tags, testing::IsEmpty());
  EXPECT_THAT(spec.image.platforms, ElementsAre(HostPlatform()));
  EXPECT_EQ(spec.system.suite, Suite::kBookworm);
  EXPECT_EQ(spec.python.version, "3.11");
  ASSERT_EQ(spec.python.layers.size(), 1u);
  EXPECT_EQ(spec.python.layers[0].name, "python");
  EXPECT_EQ(LoadText("[python]\nversion = \"3.13\"").spec.system.suite, Suite::kTrixie);
}

TEST(LoadSpec, ReadsEverySection) {
  LoadedSpec loaded = LoadText(R"(
format = 1
[image]
name = "team/notebook"
platforms = ["linux/amd64", "linux/arm64"]
env = { TZ = "Europe/Berlin" }
max-layer-size = "2GiB"
[system]
profile = "distroless"
packages = ["git", "curl=7.88.1-10"]
certificates = ["corp.crt"]
[python]
packages = ["jupyterlab", "./wheels/x-1.0-py3-none-any.whl"]
compile = "all"
exclude-newer = 2026-11-01
constraints = ["numpy<2"]
[[python.layers]]
name = "web"
packages = ["python-fasthtml"]
[[python.indexes]]
name = "internal"
packages = ["Corp_Tool"]
[cuda]
version = "13.0"
components = ["toolkit", "cudnn"]
[[files]]
from = "app"
to = "/srv/app/"
mode = "0640"
owner = "1000"
[[artifacts]]
url = "https://files.example/tool.tar.gz"
sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
to = "/opt/tool"
extract = true
strip = 1
platform = "linux/arm64"
[services.jupyter]
preset = "jupyterlab"
[services.web]
preset = "fasthtml"
app = "main:app"
dir = "/srv/app"
after = ["jupyter"]
ready = { http = "/", timeout = "2min" }
restart = "always"
essential = true
stop-signal = "SIGINT"
stop-timeout = "1500ms"
)");
  const Spec& spec = loaded.spec;
  EXPECT_EQ(spec.image.timezone, "Europe/Berlin");
  EXPECT_EQ(spec.image.max_layer_size, 2ull << 30);
  EXPECT_THAT(spec.system.packages, ElementsAre("git", "curl=7.88.1-10"));
  EXPECT_THAT(spec.python.layers[0].packages,
              ElementsAre("jupyterlab", "wheels/x-1.0-py3-none-any.whl"));
  EXPECT_TRUE(IsLocalWheel(spec.python.layers[0].packages[1]));
  EXPECT_EQ(spec.python.layers[1].name, "web");
  EXPECT_EQ(spec.python.exclude_newer, "2026-11-01");
  EXPECT_THAT(spec.python.indexes[0].packages, ElementsAre("corp-tool"));
  EXPECT_FALSE(spec.cuda.enabled);
  EXPECT_EQ(spec.files[0].to, "/srv/app/");  // the slash says that a file lies in it
  EXPECT_EQ(spec.files[0].mode, 0640u);
  EXPECT_EQ(spec.files[0].owner, "1000:1000");
  EXPECT_EQ(spec.artifacts[0].platform, Platform{Architecture::kArm64});
  ASSERT_EQ(spec.services.size(), 2u);
  EXPECT_EQ(spec.services[0].port, 8888u);
  const Service& web = spec.services[1];
  EXPECT_EQ(web.port, 5001u);
  EXPECT_EQ(web.ready.timeout_ms, 120'000u);
  EXPECT_EQ(web.restart, Restart::kAlways);
  EXPECT_EQ(web.stop_signal, "INT");
  EXPECT_EQ(web.stop_timeout_ms, 1500u);
  EXPECT_EQ(loaded.sources.Where("services.web.app").line, 42);
  EXPECT_EQ(loaded.sources.Where("services.web.live").line, 40);
  EXPECT_EQ(loaded.sources.requirements[1][0].Render(), "spec.toml:19:13");
  EXPECT_EQ(loaded.sources.constraints[0].Render(), "spec.toml:16:16");
}

TEST(LoadSpec, ResolvesPathsBesideTheFileTheyStandIn) {
  FakeFiles fake;
  fake.files["envs/a.toml"] =
      "extends = \"../base/b.toml\"\nfiles.append = [{ from = \"app\", to = \"/a\" }]";
  fake.files["base/b.toml"] =
      "[image]\nname = \"b\"\n[[files]]\nfrom = \"./x/../shared\"\nto = \"/b\"";
  LoadedSpec loaded = fake.Load("envs/a.toml");
  EXPECT_EQ(loaded.spec.files[0].from, "base/shared");
  EXPECT_EQ(loaded.spec.files[1].from, "envs/app");
  EXPECT_EQ(loaded.spec.image.name, "b");
  EXPECT_EQ(loaded.sources.folder, "envs");
  EXPECT_THAT(loaded.sources.extends, ElementsAre("base/b.toml"));
  EXPECT_FALSE(loaded.sources.IsLocal());
}

TEST(LoadSpec, MergesOverlayAndSettings) {
  FakeFiles fake;
  fake.files["spec.toml"] =
      "[python]\npackages = [\"a\", \"b\"]\n[image]\nenv = { A = \"1\", B = \"2\" }\n"
      "[cuda]\nversion = \"13.0\"\n";
  fake.files["spec.local.toml"] =
      "cuda.enabled = true\nimage.env.B = \"3\"\npython.packages.append = [\"c\"]\n";
  fake.settings = {"python.packages.append=[\"d\"]", "image.tags=[\"x\"]"};
  LoadedSpec loaded = fake.Load();
  EXPECT_TRUE(loaded.spec.cuda.enabled);
  EXPECT_THAT(loaded.spec.python.layers[0].packages, ElementsAre("a", "b", "c", "d"));
  EXPECT_EQ(loaded.spec.image.env.at("A") + loaded.spec.image.env.at("B"), "13");
  EXPECT_THAT(loaded.spec.image.tags, ElementsAre("x"));
  EXPECT_EQ(loaded.sources.overlay, "spec.local.toml");
  EXPECT_TRUE(loaded.sources.IsLocal());
  EXPECT_EQ(loaded.sources.requirements[0][2].Render(), "spec.local.toml:3:27");
  EXPECT_EQ(loaded.sources.requirements[0][3].Render(), "--set python.packages.append");
  fake.overlay = LocalOverlay::kIgnore;
  fake.settings.clear();
  EXPECT_FALSE(fake.Load().spec.cuda.enabled);
  EXPECT_EQ(fake.Load().sources.overlay, "");
}

TEST(LoadSpec, ReadsRequirementFiles) {
  FakeFiles fake;
  fake.files["e/spec.toml"] =
      "[python]\npackages = [\"a\"]\nrequirements = [\"r/requirements.txt\"]\n"
      "constraints = [\"c.txt\", \"z<1\"]\npyproject = \"..\"\n";
  fake.files["e/r/requirements.txt"] =
      "# a comment\nb>=1 # why\r\n\n-r more.txt\n-cpins.txt\nc==1 \\\n  --hash=sha256:00 \\\n"
      "  --hash=sha256:11\n./w-1-py3-none-any.whl\n";
  fake.files["e/r/more.txt"] = "d; os_name == 'posix'";
  fake.files["e/r/pins.txt"] = "d==2";
  fake.files["e/c.txt"] = "y<2";
  fake.files["pyproject.toml"] =
      "[project]\ndependencies = [\"p>1\"]\nrequires-python = \">=3.11.4\"";
  LoadedSpec loaded = fake.Load("e/spec.toml");
  EXPECT_THAT(
      loaded.spec.python.layers[0].packages,
      ElementsAre("a", "b>=1", "d; os_name == 'posix'", "c==1", "e/r/w-1-py3-none-any.whl", "p>1"));
  EXPECT_THAT(loaded.spec.python.constraints, ElementsAre("d==2", "y<2", "z<1"));
  EXPECT_EQ(loaded.sources.requirements[0][3].Render(), "e/r/requirements.txt:6:1");
  fake.files["pyproject.toml"] = "[project]\nrequires-python = \">=3.12\"";
  EXPECT_THAT(fake.Complaint("e/spec.toml"), HasSubstr("the project needs Python >=3.12"));
}

TEST(LoadSpec, ReportsAllProblemsInOrderOfPlace) {
  EXPECT_EQ(ComplaintAbout("[image]\nnmae = \"x\"\nname = 3\n[services.web]\nprot = 1\n"
                           "command = [\"x\"]\n"),
            "spec.toml:2:1: unknown key \"image.nmae\"\n  hint: did you mean \"name\"?\n"
            "spec.toml:3:8: image.name is an integer, expected a string\n"
            "spec.toml:5:1: unknown key \"services.web.prot\"\n  hint: did you mean \"port\"?");
}

struct BadCase {
  const char* text;
  const char* complaint;
};

class BadSpec : public testing::TestWithParam<BadCase> {};

TEST_P(BadSpec, IsExplained) {
  EXPECT_THAT(ComplaintAbout(GetParam().text), HasSubstr(GetParam().complaint)) << GetParam().text;
}

constexpr BadCase kBadCases[] = {
    {"a = ", "spec.toml:1:5: this is no valid TOML"},
    {"format = 2", "format is 2"},
    {"image = 1", "image is an integer, expected a table"},
    {"[image]\nname = \"Big\"", "image.name is \"Big\", expected lower-case"},
    {"[image]\nplatforms = [\"linux/amd46\"]", "did you mean \"linux/amd64\""},
    {"[image]\nplatforms = [\"linux/amd64\", \"linux/amd64\"]", "stands here twice"},
    {"[image]\ntags = [\"a b\"]", "\"a b\" is no tag"},
    {"[image]\nenv = { API_KEY = \"x\" }", "podman run -e API_KEY"},
    {"[image]\nenv = { A = 1 }", "image.env.A is an integer, expected a string"},
    {"[image]\nenv = { TZ = \"/etc/localtime\" }", "spec.toml:2:9: TZ is \"/etc/localtime\", exp"},
    {"[image]\nenv = { TZ = \"Europe/../Berlin\" }", "expected a name such as \"Europe/Berlin\""},
    {"[image]\nenv = { TZ = \"Europe//Berlin\" }", "TZ is \"Europe//Berlin\""},
    {"[image]\nenv = { TZ = \"New York\" }", "TZ is \"New York\""},
    {"[image]\nenv = { TZ = \"CET-1CEST,M3.5.0\" }", "TZ is \"CET-1CEST,M3.5.0\""},
    {"[image]\nworkdir = \"work\"", "expected an absolute path in the image"},
    {"[image]\nworkdir = \"/a/../b\"", "expected an absolute path in the image"},
    {"[image]\nmax-layer-size = \"4 apples\"", "is no size"},
    {"[image]\nallow-missing-libraries = [\"/lib/libx.so\"]", "is no name of a shared library"},
    {"[image]\nuser = \"1:2:3\"", "image.user is"},
    {"[system]\nsuite = \"sid\"", "expected one of \"bookworm\", \"trixie\""},
    {"[system]\nsuite = \"trixie\"", "Debian trixie has no Python 3.11"},
    {"[system]\npackages = [\"Git\"]", "write \"git\""},
    {"[system]\nmirror = \"https://u:p@mirror.example/debian\"", "system.mirror holds credentials"},
    {"[system]\nsnapshot = \"https://mirror.example/x\"", "{timestamp}"},
    {"[python]\nversion = \"3.12\"", "expected \"3.11\" (bookworm) or \"3.13\" (trixie)"},
    {"[python]\nversion = 3.11", "python.version is a number, expected a string"},
    {"[python]\npackages = [\"requirements.txt\"]", "write requirements = [\"requirements.txt\"]"},
    {"[python]\npackages = [\"./app\"]", "is a file, not a requirement"},
    {"[python]\npackages = [\"numpy=1.2\"]", "did you mean \"numpy==1.2\"?"},
    {"[python]\npackages = [\"a-b.whl\"]", "is no wheel's file name"},
    {"[python]\npackages = [\"a >=\"]", "spec.toml:2:13: \"a >=\" is no requirement"},
    {"[python]\npackages = [1]", "python.packages[0] is an integer, expected a string"},
    {"[python]\nrequirements = [\"r.txt\"]", "there is no file r.txt"},
    {"[python]\nexclude-newer = \"soon\"", "expected a date such as"},
    {"[python]\nexclude-newer = \"2026-13-01\"", "expected a date such as"},
    {"[[python.layers]]\npackages = []", "a layer needs a name"},
    {"[[python.layers]]\nname = \"base\"", "the layer name \"base\" is taken"},
    {"[[python.indexes]]\nname = \"default\"", "an index needs a name of its own"},
    {"[[python.indexes]]\nname = \"i\"\nurl = \"https://a:b@index.example/\"", "holds credentials"},
    {"[cuda]\nenabled = true", "cuda.version is missing"},
    {"[cuda]\nversion = \"thirteen\"", "expected two or three numbers"},
    {"[cuda]\nversion = \"\"\nenabled = true", "cuda.version is \"\", expected two or three"},
    {"[cuda]\nversion = \"13.0\"\ncomponents = []", "cuda.components is empty"},
    {"[cuda]\nversion = \"13.0\"\ncomponents = [\"cuDNN\"]", "no CUDA component \"cuDNN\""},
    {"[cuda]\nversion = \"12.9\"\ncomponents = [\"cublas\", \"nvcc\"]",
     "spec.toml:3:25: \"nvcc\" asks for nvcc, which the wheels of CUDA 12 do not have\n  hint: "
     "either "
     "version = \"13.0\" or later, or provider = \"debian\""},
    {"[cuda]\nversion = \"12.9\"", "spec.toml:1:2: \"toolkit\" asks for nvcc"},
    {"[cuda]\nversion = \"11.8\"\nprovider = \"debian\"\ncomponents = [\"toolkit\", \"cudnn\"]",
     "spec.toml:4:26: Debian's nvidia-cudnn is only a program that downloads"},
    {"[cuda]\nversion = \"11.8\"\nprovider = \"debian\"\ncomponents = [\"nccl\"]",
     "Debian has no CUDA component \"nccl\""},
    {"[cuda]\nversion = \"11.8\"\nprovider = \"conda\"", "expected one of \"pypi\", \"debian\""},
    {"[[files]]\nfrom = \"a\"", "files[0].to is missing"},
    {"[[files]]\nfrom = \"a\"\nto = \"b\"", "expected an absolute path in the image"},
    {"[[files]]\nfrom = \"a\"\nto = \"/b\"\nmode = \"rw\"", "is no file mode"},
    {"[[artifacts]]\nurl = \"x\"\nsha256 = \"00\"\nto = \"/x\"", "artifacts[0].url is no URL"},
    {"[[artifacts]]\nurl = \"http://files.example/x\"\nsha256 = \"00\"\nto = \"/x\"",
     "expected 64 hexadecimal digits"},
    {"[[artifacts]]\nurl = \"http://files.example\"\nsha256 = \"00\"\nto = \"/x/\"",
     "spec.toml:4:1: neither artifacts[0].to nor the URL names the file\n  hint: end it in the "
     "file's "
     "name"},
    {"[[artifacts]]\nurl = \"http://files.example/a/..?x\"\nsha256 = \"00\"\nto = \"/x/\"",
     "nor the URL names the file"},
    {"[[artifacts]]\nurl = \"http://files.example/a%2Fb\"\nsha256 = \"00\"\nto = \"/x/\"",
     "nor the URL names the file"},
    {"[services.web]\nport = 1", "a service needs either preset or command"},
    {"[services.web]\ncommand = [\"x\"]\nport = 70000", "expected 1 to 65535"},
    {"[services.web]\ncommand = [\"x\"]\napp = \"a:b\"", "presets that serve an application"},
    {"[services.web]\npreset = \"jupyterlap\"", "did you mean \"jupyterlab\"?"},
    {"[services.web]\ncommand = [\"x\"]\nafter = [\"db\"]", "\"db\", which is no service"},
    {"[services.web]\ncommand = [\"x\"]\nready = { tcp = true }", "the service has none"},
    {"[services.web]\ncommand = [\"x\"]\nstop-signal = \"NOPE\"", "stop-signal"},
    {"[services.web]\ncommand = [\"x\"]\nstop-timeout = \"5\"", "expected a duration"},
    {"[services.a]\ncommand = [\"x\"]\nport = 1\n[services.b]\ncommand = [\"x\"]\nport = 1",
     "spec.toml:6:1: port 1 of services.b is that of services.a, too"},
    {"[services.a]\ncommand = [\"x\"]\nafter = [\"b\"]\n[services.b]\ncommand = [\"x\"]\nafter = "
     "[\"a\"]",
     "services wait for each other: a -> b -> a"},
    {"services.web = 1", "expected a table: [services.web]"},
    {"extends = \"none.toml\"", "there is no file none.toml to extend"},
    {"extends = \"spec.toml\"", "extends itself"}};

INSTANTIATE_TEST_SUITE_P(LoadSpec, BadSpec, testing::ValuesIn(kBadCases));

TEST(LoadSpec, AnArtifactInAFolderHasTheNameOfItsUrl) {
  const std::string start =
      "[[artifacts]]\nurl = \"https://files.example/dl/tool-1.0.tar?token=a/b#c\"\nsha256 = "
      "\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\"\n";
  auto place = [&](const std::string& rest) { return LoadText(start + rest).spec.artifacts[0].to; };
  EXPECT_EQ(place("to = \"/opt/\""), "/opt/tool-1.0.tar");
  EXPECT_EQ(place("to = \"/\""), "/tool-1.0.tar");
  EXPECT_EQ(place("to = \"/opt/x\""), "/opt/x");
  EXPECT_EQ(place("to = \"/opt/\"\nextract = true"), "/opt");
  EXPECT_EQ(place("to = \"/\"\nextract = true"), "/");
}

TEST(LoadSpec, NamesTheLineThatAPresetNeeds) {
  EXPECT_EQ(
      ComplaintAbout("[python]\npackages = [\"numpy\"]\n[services.j]\npreset = \"jupyterlab\"\n"),
      "spec.toml:4:1: the preset \"jupyterlab\" runs jupyterlab, which is in no packages of "
      "[python]\n  hint: write in spec.toml:2:1: packages = [\"numpy\", \"jupyterlab\"]");
  EXPECT_THAT(ComplaintAbout("[services.w]\npreset = \"fasthtml\"\n"),
              HasSubstr("add under [python]: packages = [\"python-fasthtml\"]"));
  const std::string web =
      "[services.w]\npreset = \"uvicorn\"\napp = \"m:a\"\n[python]\npackages = ";
  EXPECT_THAT(ComplaintAbout(web + "[\"fastapi\"]"), HasSubstr("runs uvicorn"));
  EXPECT_EQ(ComplaintAbout(web + "[\"fastapi[standard]\"]"), "");
  EXPECT_EQ(ComplaintAbout(web + "[\"UVICORN>0.2\"]"), "");
  EXPECT_EQ(ComplaintAbout(web + "[\"w/uvicorn-1-py3-none-any.whl\"]"), "");
}

TEST(LoadSpec, TellsSecretsFromLookalikes) {
  EXPECT_EQ(ComplaintAbout("[image]\nenv = { TOKENIZERS_PARALLELISM = \"0\", DB_PASSWORD_FILE = "
                           "\"/x\", KEYBOARD = \"de\", MAX_TOKENS = \"1\" }"),
            "");
  for (const char* name : {"PASSWORD", "GITHUB_TOKEN", "AWS_SECRET_ACCESS_KEY", "my_api_key",
                           "PRIVATE_KEY", "JUPYTER_TOKEN"}) {
    EXPECT_THAT(ComplaintAbout(std::string("[image]\nenv = { ") + name + " = \"x\" }"),
                HasSubstr("looks like a secret"))
        << name;
  }
}

TEST(LoadSpec, TakesWhatMayBeATimeZone) {
  const auto complaint = [](const std::string& zone, const std::string& more = "") {
    return ComplaintAbout("[image]\nenv = { TZ = \"" + zone + "\" }\n" + more);
  };
  for (const char* zone : {"", "UTC", "Etc/GMT+2", "America/Port-au-Prince", "EST5EDT",
                           "America/Argentina/Buenos_Aires"}) {
    EXPECT_EQ(complaint(zone), "") << zone;
  }
  const std::string base = "[system]\nimage = \"registry.example/python:3.11\"\n";
  EXPECT_EQ(complaint("EST5EDT,M3.2.0,M11.1.0", base), "");
  EXPECT_THAT(complaint("/etc/localtime", base), HasSubstr("spec.toml:2:9: TZ is"));
}

TEST(LoadSpec, ExplainsBadSettings) {
  FakeFiles fake{{{"spec.toml", ""}}};
  fake.settings = {"image.name=web"};
  EXPECT_THAT(fake.Complaint(), HasSubstr("--set 'image.name=\"web\"'"));
  fake.settings = {"cuda"};
  EXPECT_THAT(fake.Complaint(), HasSubstr("--set cuda: expected KEY=VALUE"));
  fake.settings = {"image.nmae=1"};
  EXPECT_THAT(fake.Complaint(), HasSubstr("--set image.nmae: unknown key"));
  fake.settings = {"extends=\"x\""};
  EXPECT_THAT(fake.Complaint(), HasSubstr("extends cannot be set"));
  fake.settings.clear();
  fake.files["spec.local.toml"] = "extends = \"x.toml\"";
  EXPECT_THAT(fake.Complaint(), HasSubstr("spec.local.toml:1:11: an overlay extends nothing"));
  EXPECT_THAT(fake.Complaint("other.toml"), HasSubstr("there is no spec other.toml"));
}

TEST(SpecPaths, StandBesideTheSpec) {
  EXPECT_EQ(OverlayPath("a/nb.toml"), "a/nb.local.toml");
  EXPECT_EQ(LockPath("a/nb.toml"), "a/nb.lock");
  EXPECT_EQ(LocalLockPath("nb"), "nb.local.lock");
}

}  // namespace
}  // namespace imgbuild::specs
