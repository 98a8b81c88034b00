#include "specs/env/preset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "specs/env/canonical.h"
#include "specs/env/preset_file.h"
#include "tests/specs/env/fake_files.h"

namespace imgbuild::specs {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::Pair;

constexpr char kPackages[] = R"(
[python]
packages = ["jupyterlab", "python-fasthtml", "fastapi[standard]", "streamlit", "gradio"]
)";

constexpr char kOllama[] = R"(
[[artifacts]]
url = "https://files.example/ollama.tgz"
sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
to = "/opt/ollama"
extract = true
)";

std::string Spec1(const std::string& keys) {
  return std::string(kPackages) + kOllama + "[services.s]\n" + keys;
}
Service Load1(const std::string& keys) { return LoadText(Spec1(keys)).spec.services[0]; }

std::string AppFor(const ServicePreset& preset) {
  if (preset.app == ServicePreset::App::kNone) return "";
  return preset.app == ServicePreset::App::kFile ? "app = \"ui.py\"\n" : "app = \"m:a\"\n";
}

TEST(Presets, EachIsAWholeService) {
  ASSERT_EQ(ServicePresets().size(), 7u);
  for (const ServicePreset& preset : ServicePresets()) {
    const Service service = Load1("preset = \"" + preset.name + "\"\n" + AppFor(preset));
    EXPECT_EQ(service.port, preset.port) << preset.name;
    EXPECT_NE(service.ready.kind, Probe::Kind::kNone) << preset.name;
    EXPECT_THAT(service.announce, HasSubstr("{port " + std::to_string(preset.port) + "}"));
    for (const std::string& argument : service.command) {
      EXPECT_THAT(argument, Not(HasSubstr("{"))) << preset.name;
    }
    EXPECT_TRUE(preset.text.starts_with("# ")) << preset.name;
  }
}

TEST(Presets, AreAllInOrderOfTheirFiles) {
  std::vector<std::string> names;
  for (const ServicePreset& preset : ServicePresets()) names.push_back(preset.name);
  EXPECT_THAT(names, ElementsAre("jupyterlab", "fasthtml", "fastapi", "uvicorn", "streamlit",
                                 "gradio", "ollama"));
  EXPECT_EQ(FindPreset("nosuch"), nullptr);
  EXPECT_EQ(FindPreset(""), nullptr);
}

TEST(Presets, JupyterLabRunsInTheWorkdirWithAToken) {
  const Service service = Load1("preset = \"jupyterlab\"\nport = 9000");
  EXPECT_THAT(
      service.command,
      ElementsAre("/opt/venv/bin/python", "/usr/share/imgbuild/start_jupyterlab.py", "--ip=0.0.0.0",
                  "--port=9000", "--port-retries=0", "--no-browser", "--ServerApp.root_dir=/work",
                  "--ServerApp.allow_remote_access=True", "--allow-root",
                  "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
                  "--LabApp.news_url=None"));
  EXPECT_EQ(service.token, "JUPYTER_TOKEN");
  EXPECT_EQ(service.announce, "JupyterLab is at http://127.0.0.1:{port 9000}/lab{token}");
  EXPECT_EQ(service.ready.http_path, "/api");
}

TEST(Presets, OptionsAddToTheCommand) {
  const std::string hash = "argon2:$argon2id$v=19$m=10240,t=10,p=8$c2FsdA$aGFzaA";
  const Service service =
      Load1("preset = \"jupyterlab\"\nbase-url = \"/team/lab/\"\npassword-hash = \"" + hash + "\"");
  EXPECT_THAT(service.command, Contains("--ServerApp.base_url=/team/lab/"));
  EXPECT_THAT(service.command, Contains("--PasswordIdentityProvider.hashed_password=" + hash));
  EXPECT_EQ(service.token, "");
  EXPECT_EQ(service.ready.http_path, "/team/lab/api");
  EXPECT_EQ(service.announce, "JupyterLab is at http://127.0.0.1:{port 8888}/team/lab/lab{token}");
  EXPECT_THAT(Load1("preset = \"gradio\"\napp = \"x.py\"\nbase-url = \"/g\"").env,
              Contains(Pair("GRADIO_ROOT_PATH", "/g")));
  EXPECT_THAT(
      Load1("preset = \"uvicorn\"\napp = \"m:a\"\narguments = [\"--workers\", \"4\"]").command,
      testing::IsSupersetOf({"--timeout-graceful-shutdown", "--workers", "4"}));
}

TEST(Presets, TheSpecWinsKeyByKey) {
  const Service service = Load1(R"(preset = "gradio"
app = "x.py"
command = ["/bin/{port}"]
env = { GRADIO_SERVER_NAME = "127.0.0.1", MINE = "{port}" }
ready = { tcp = true, timeout = "5s" }
announce = "here"
)");
  EXPECT_THAT(service.command, ElementsAre("/bin/{port}"));
  EXPECT_EQ(service.env.at("GRADIO_SERVER_NAME"), "127.0.0.1");
  EXPECT_EQ(service.env.at("GRADIO_SERVER_PORT"), "7860");
  EXPECT_EQ(service.env.at("MINE"), "{port}");
  EXPECT_EQ(service.ready.kind, Probe::Kind::kTcp);
  EXPECT_EQ(service.announce, "here");
  const Service patient = Load1("preset = \"jupyterlab\"\nready = { timeout = \"2min\" }");
  EXPECT_EQ(patient.ready.http_path, "/api");
  EXPECT_EQ(patient.ready.timeout_ms, 120'000u);
}

TEST(Presets, ThePageIsServedWhereNoAppIsNamed) {
  EXPECT_TRUE(ServesBuiltInPage(Load1("preset = \"fasthtml\"")));
  EXPECT_FALSE(ServesBuiltInPage(Load1("preset = \"fasthtml\"\ndir = \"/srv\"")));
  const Service app = Load1("preset = \"fasthtml\"\napp = \"web:site\"\ndir = \"/srv\"");
  EXPECT_FALSE(ServesBuiltInPage(app));
  EXPECT_THAT(app.command, testing::IsSupersetOf({"web:site", "/srv"}));
}

TEST(Presets, OllamaIsFoundByTheOthers) {
  const Spec spec = LoadText(Spec1("preset = \"jupyterlab\"\n[services.llm]\npreset = \"ollama\"\n"
                                   "port = 9999\n[services.own]\ncommand = [\"x\"]\nenv = { "
                                   "OLLAMA_HOST = \"elsewhere\" }"))
                        .spec;
  const Service& llm = spec.services[0];
  EXPECT_EQ(llm.env.at("OLLAMA_HOST"), "0.0.0.0:9999");
  EXPECT_FALSE(llm.env.contains("OLLAMA_URL"));
  EXPECT_THAT(llm.volumes, ElementsAre("/var/lib/ollama"));
  EXPECT_EQ(spec.services[1].env.at("OLLAMA_HOST"), "elsewhere");
  EXPECT_EQ(spec.services[1].env.at("OLLAMA_URL"), "http://127.0.0.1:9999");
  EXPECT_EQ(spec.services[2].env.at("OLLAMA_HOST"), "http://127.0.0.1:9999");
}

TEST(Presets, OllamaNeedsItsBinary) {
  EXPECT_THAT(ComplaintAbout("[services.llm]\npreset = \"ollama\""),
              HasSubstr("spec.toml:2:1: the preset \"ollama\" runs /opt/ollama/bin/ollama, which "
                        "nothing puts there\n  hint: add: [[artifacts]] with url"));
  EXPECT_EQ(ComplaintAbout("[services.llm]\npreset = \"ollama\"\ncommand = [\"/usr/bin/ollama\"]"),
            "");
  EXPECT_EQ(ComplaintAbout("[[files]]\nfrom = \"o\"\nto = \"/opt/ollama/bin/ollama\"\n"
                           "[services.llm]\npreset = \"ollama\""),
            "");
}

struct BadPresetUse {
  const char* keys;
  const char* complaint;
};

class BadPreset : public testing::TestWithParam<BadPresetUse> {};

TEST_P(BadPreset, IsExplained) {
  EXPECT_THAT(ComplaintAbout(Spec1(GetParam().keys)), HasSubstr(GetParam().complaint));
}

const BadPresetUse kBadUses[] = {
    {"preset = \"streamlit\"", "services.s.app is missing\n  hint: for example app = \"app.py\""},
    {"preset = \"streamlit\"\napp = \"m:a\"", "expected a file in the service's folder"},
    {"preset = \"streamlit\"\napp = \"../x.py\"", "expected a file in the service's folder"},
    {"preset = \"uvicorn\"\napp = \"x.py\"", "expected \"module:attribute\""},
    {"preset = \"jupyterlab\"\napp = \"m:a\"", "fasthtml, fastapi, uvicorn, streamlit, gradio"},
    {"preset = \"ollama\"\nbase-url = \"/x\"", "services.s.base-url goes with the presets jupyter"},
    {"preset = \"jupyterlab\"\nbase-url = \"x\"", "expected a path such as \"/lab\""},
    {"preset = \"jupyterlab\"\nbase-url = 3", "spec.toml:12:12: services.s.base-url is an integer"},
    {"preset = \"fasthtml\"\npassword-hash = \"argon2:$argon2id$x\"", "the presets jupyterlab"},
    {"preset = \"jupyterlab\"\npassword-hash = \"hunter2\"", "is no hash of a password"},
    {"command = [\"x\"]\narguments = [\"y\"]", "services.s.arguments goes with a preset"},
    {"command = [\"x\"]\ntoken = \"my token\"", "expected the name of a variable"},
    {"command = [\"x\"]\nvolumes = [\"data\"]", "expected an absolute path in the image"},
    {"command = [\"x\"]\nvolumes = [\"/a/../etc\"]", "expected an absolute path in the image"},
    {"command = [\"x\"]\nvolumes = [\"/a:ro\"]", "expected an absolute path in the image"},
    {"preset = 7", "services.s.preset is an integer"},
    {"preset = \"jupyterlab\"\nport = \"x\"", "services.s.port is a string"},
    {"preset = \"jupyterlab\"\nenv = 1\ncommand = 2", "services.s.env is an integer"},
};

INSTANTIATE_TEST_SUITE_P(Presets, BadPreset, testing::ValuesIn(kBadUses));

TEST(Presets, PortsThatMeetAreSeenWhereThePresetStands) {
  EXPECT_THAT(ComplaintAbout(Spec1("preset = \"fastapi\"\napp = \"m:a\"\n[services.t]\n"
                                   "preset = \"uvicorn\"\napp = \"m:a\"")),
              HasSubstr("spec.toml:14:1: port 8000 of services.t is that of services.s, too"));
}

// What a preset says and the spec took away does not come back.
TEST(Presets, TheCanonicalFormIsWhole) {
  const std::string hash = "argon2:$argon2id$v=19$m=1,t=1,p=1$c2FsdA$aGFzaA";
  const LoadedSpec loaded = LoadText(
      Spec1("preset = \"jupyterlab\"\npassword-hash = \"" + hash +
            "\"\nbase-url = \"/x\"\narguments = \"--debug\"\n[services.llm]\npreset = \"ollama\"\n"
            "volumes = []\n[services.ui]\npreset = \"gradio\"\napp = \"u.py\"\n[services.web]\n"
            "preset = \"fasthtml\""));
  const std::string text = RenderCanonical(loaded.spec, ".");
  const LoadedSpec again = LoadCanonical(text, loaded.spec.artifacts[0].url);
  EXPECT_EQ(again.spec, loaded.spec) << text;
  EXPECT_EQ(RenderCanonical(again.spec, "."), text);
  EXPECT_EQ(again.spec.services[1].token, "");
  EXPECT_THAT(again.spec.services[0].volumes, IsEmpty());
  EXPECT_TRUE(ServesBuiltInPage(again.spec.services[3]));
}

TEST(Presets, WatchingMakesThemReload) {
  const Spec spec = LoadText(Spec1("preset = \"fasthtml\"\n[services.j]\npreset = \"jupyterlab\"\n"
                                   "[services.u]\npreset = \"streamlit\"\napp = \"u.py\""))
                        .spec;
  EXPECT_THAT(WatchEnvironment(spec), ElementsAre(Pair("STREAMLIT_SERVER_RUN_ON_SAVE", "true"),
                                                  Pair("UVICORN_RELOAD", "1")));
}

TEST(Presets, PortsAreThoseOfServices) {
  Spec spec;
  spec.services = {{.name = "a", .port = 8888}, {.name = "b"}, {.name = "c", .port = 80}};
  EXPECT_THAT(ServicePorts(spec), ElementsAre(80u, 8888u));
}

TEST(PresetFile, MistakesAreErrors) {
  const char* const kBad[] = {
      "",
      "runs = 1",
      "x = 1",
      "runs = \"x\"\n[service]\nport = 1",
      "a = = 1",
      "runs = \"x\"\napp = \"y\"\n[service]\nport = 1\ncommand = []",
      "runs = \"x\"\n[service]\nport = \"1\"\ncommand = []",
      "runs = \"x\"\n[options.o]\nz = 1\n[service]\nport = 1\ncommand = []"};
  for (const char* text : kBad) {
    EXPECT_THROW((void)ReadPreset({.name = "p", .text = text}), Error) << text;
  }
}

}  // namespace
}  // namespace imgbuild::specs
