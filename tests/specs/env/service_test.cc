// [services.NAME]: what a service is, finds around it, and how it is asked.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "specs/env/canonical.h"
#include "tests/specs/env/fake_files.h"

namespace imgbuild::specs {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

Service Read(const std::string& keys, const std::string& image = "") {
  return LoadText(image + "[services.s]\ncommand = [\"x\"]\n" + keys).spec.services[0];
}
std::string ServiceComplaint(const std::string& keys, const std::string& image = "") {
  return ComplaintAbout(image + "[services.s]\ncommand = [\"x\"]\n" + keys);
}

TEST(Service, ReadsProbesOfEveryKind) {
  const Service http = Read("port = 80\nready = { http = \"/up\", timeout = \"1min\" }\n");
  EXPECT_EQ(http.ready.kind, Probe::Kind::kHttp);
  EXPECT_EQ(http.ready.http_path, "/up");
  EXPECT_EQ(http.ready.timeout_ms, 60'000u);
  const Service exec = Read("ready = { exec = [\"check\", \"-q\"] }\n");
  EXPECT_EQ(exec.ready.kind, Probe::Kind::kExec);
  EXPECT_THAT(exec.ready.command, ElementsAre("check", "-q"));
  EXPECT_EQ(exec.ready.timeout_ms, 30'000u);
  const Service delay = Read("ready = { delay = \"2s\" }\n");
  EXPECT_EQ(delay.ready.kind, Probe::Kind::kDelay);
  EXPECT_EQ(delay.ready.timeout_ms, 2'000u);
  const Service live = Read(
      "live = { tcp = true, port = 9, interval = \"1s\", timeout = \"200ms\", failures = 5 }\n");
  EXPECT_EQ(live.live.kind, Probe::Kind::kTcp);
  EXPECT_EQ(live.live.port, 9u);
  EXPECT_EQ(live.live.interval_ms, 1'000u);
  EXPECT_EQ(live.live.timeout_ms, 200u);
  EXPECT_EQ(live.live.failures, 5u);
  EXPECT_EQ(live.ready.kind, Probe::Kind::kNone);
}

TEST(Service, ReadsSurroundings) {
  const Service service = Read(
      "env-files = [\"/run/a.env\", \"-/run/b.env\"]\n"
      "secrets = { API_KEY = \"openai\", CERT = \"/etc/keys/cert\" }\n"
      "user = \"web\"\numask = \"027\"\n"
      "limits = { nofile = 1024, core = \"0:unlimited\", memlock = \"unlimited\" }\n",
      "[image]\nuser = \"root\"\n");
  EXPECT_THAT(service.env_files, ElementsAre("/run/a.env", "-/run/b.env"));
  EXPECT_THAT(service.secrets,
              ElementsAre(Pair("API_KEY", "/run/secrets/openai"), Pair("CERT", "/etc/keys/cert")));
  EXPECT_EQ(service.user, "web");
  EXPECT_EQ(service.umask, 027u);
  EXPECT_EQ(service.limits.at("nofile"), (ResourceLimit{1024, 1024}));
  EXPECT_EQ(service.limits.at("core"), (ResourceLimit{0, std::nullopt}));
  EXPECT_EQ(service.limits.at("memlock"), (ResourceLimit{}));
}

TEST(Service, ReadsTypesAndHowOftenTheyMayFail) {
  EXPECT_EQ(Read("type = \"oneshot\"\n").type, ServiceType::kOneshot);
  EXPECT_EQ(Read("type = \"job\"\nmax-failures = 0\n").max_failures, 0u);
  EXPECT_EQ(Read("").max_failures, 10u);
}

TEST(Service, SaysWhatIsWrong) {
  const struct {
    const char* keys;
    const char* complaint;
  } kBad[] = {
      {"ready = {}", "services.s.ready needs one of http = \"/path\", tcp = true, exec = [...] or"},
      {"ready = { exec = [] }", "services.s.ready.exec is empty"},
      {"ready = { delay = \"1s\", exec = [\"x\"] }", "needs one of"},
      {"ready = { delay = \"1s\", timeout = \"2s\" }", "does not go with delay"},
      {"ready = { interval = \"1s\", exec = [\"x\"] }",
       "unknown key \"services.s.ready.interval\""},
      {"live = { delay = \"1s\" }", "unknown key \"services.s.live.delay\""},
      {"live = { tcp = true }", "services.s.live asks a port, but the service has none"},
      {"live = { exec = [\"x\"], interval = \"0s\" }", "services.s.live.interval is 0"},
      {"live = { exec = [\"x\"], failures = 0 }", "is 0, expected 1 to 1000000"},
      {"type = \"oneshoot\"", "did you mean \"oneshot\"?"},
      {"type = \"job\"\nready = { delay = \"1s\" }", "goes with services that stay, not with type"},
      {"type = \"job\"\nlive = { exec = [\"x\"] }", "goes with services that stay, not with type"},
      {"type = \"oneshot\"\nrestart = \"always\"", "but it runs to its end"},
      {"max-failures = -1", "expected 0 (no limit) to 1000000"},
      {"env-files = [\"app.env\"]", "expected an absolute path in the container"},
      {"env-files = [\"/run/../etc/x\"]", "expected an absolute path in the container"},
      {"secrets = { key = \"x\" }", "\"key\" is no name of a variable"},
      {"secrets = { KEY = \"../x\" }", "expected the name of a secret"},
      {"secrets = { KEY = \"\" }", "expected the name of a secret"},
      {"user = \"Big Name\"", "expected \"uid\", \"uid:gid\" or a name"},
      {"user = \"web\"",
       "which only an image can do that starts as root; this one starts as \"1000\""},
      {"umask = \"1777\"", "services.s.umask is more than 0777"},
      {"limits = { nofiles = 1 }", "unknown limit \"nofiles\"\n  hint: did you mean \"nofile\"?"},
      {"limits = { nofile = \"many\" }", "services.s.limits.nofile is no limit"},
      {"limits = { nofile = \"20:10\" }", "services.s.limits.nofile is no limit"},
      {"limits = { nofile = \"unlimited:10\" }", "services.s.limits.nofile is no limit"},
      {"limits = { nofile = -1 }", "services.s.limits.nofile is no limit"},
      {"limits = { nofile = true }", "services.s.limits.nofile is no limit"},
  };
  for (const auto& bad : kBad) {
    const std::string complaint = ServiceComplaint(std::string(bad.keys) + "\n");
    EXPECT_THAT(complaint, HasSubstr(bad.complaint)) << bad.keys;
    EXPECT_THAT(complaint, HasSubstr("spec.toml:")) << bad.keys;
  }
}

TEST(Service, AnotherUserNeedsAnImageThatStartsAsRoot) {
  for (const char* user : {"root", "0", "0:0"}) {
    EXPECT_EQ(Read("user = \"1000\"\n", "[image]\nuser = \"" + std::string(user) + "\"\n").user,
              "1000");
  }
  // The same one is no other.
  EXPECT_EQ(Read("user = \"1000\"\n").user, "1000");
}

TEST(Service, TheCanonicalTextSaysItAll) {
  const std::string text =
      "[image]\nuser = \"0\"\n[services.s]\ncommand = [\"x\"]\nport = 80\n"
      "env-files = [\"-/run/b.env\"]\nsecrets = { API_KEY = \"openai\" }\nuser = \"1000:0\"\n"
      "umask = \"077\"\nlimits = { nofile = 10, core = \"0:unlimited\", as = \"unlimited\" }\n"
      "ready = { exec = [\"a\", \"b\"], timeout = \"3s\" }\n"
      "live = { http = \"/live\", port = 81, interval = \"1s\", failures = 2 }\nmax-failures = 4\n"
      "[services.t]\ntype = \"oneshot\"\ncommand = [\"y\"]\n"
      "[services.u]\ncommand = [\"z\"]\nready = { delay = \"150ms\" }\n";
  const Spec spec = LoadText(text).spec;
  const Spec again = LoadText(RenderCanonical(spec, ".")).spec;
  EXPECT_EQ(again.services, spec.services) << RenderCanonical(spec, ".");
}

}  // namespace
}  // namespace imgbuild::specs
