#include "builder/engine/spec_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "builder/host/program.h"

namespace imgbuild::builder {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

specs::Spec Notebook() {
  specs::Spec spec;
  spec.image.name = "team/nb";
  spec.image.platforms = {specs::HostPlatform()};
  spec.services = {
      {.name = "db", .command = {"db"}, .port = 5432, .volumes = {"/var/lib/db"}},
      {.name = "lab", .command = {"lab"}, .port = 8888, .token = "JUPYTER_TOKEN"},
  };
  spec.services[0].ready.kind = specs::ReadyProbe::Kind::kTcp;
  spec.services[1].ready = {.kind = specs::ReadyProbe::Kind::kHttp, .http_path = "/api"};
  return spec;
}

TEST(SpecPlan, SaysAllThatTheSpecDecides) {
  RunPlan plan = PlanServices(Notebook());
  EXPECT_EQ(plan.container, "imgbuild-team-nb");
  EXPECT_EQ(plan.workdir, "/work");
  EXPECT_EQ(plan.image_user, 1000u);
  EXPECT_THAT(plan.ports, ElementsAre(PublishedPort{5432, 5432}, PublishedPort{8888, 8888}));
  EXPECT_THAT(plan.volumes, ElementsAre(NamedVolume{"imgbuild-team-nb-var-lib-db", "/var/lib/db"}));
  EXPECT_THAT(plan.probes, ElementsAre(HealthProbe{5432, ""}, HealthProbe{8888, "/api"}));
  EXPECT_THAT(plan.secrets, ElementsAre("JUPYTER_TOKEN"));
  EXPECT_TRUE(plan.folder.empty());
  AddHome(plan);
  EXPECT_EQ(plan.volumes[0], (NamedVolume{"imgbuild-team-nb-home", "/root"}));
}

TEST(SpecPlan, ACommandHasNoServices) {
  const RunPlan plan = PlanCommand(Notebook());
  EXPECT_THAT(plan.ports, IsEmpty());
  EXPECT_THAT(plan.volumes, IsEmpty());
  EXPECT_THAT(plan.probes, IsEmpty());
  EXPECT_TRUE(plan.container.empty());
}

TEST(SpecPlan, ServicesGetTheTimeThatTheyMayTake) {
  specs::Spec spec = Notebook();
  spec.services[0].stop_timeout_ms = 2'000;
  EXPECT_EQ(PlanServices(spec).stop_seconds, 0u);
  spec.services[0].stop_timeout_ms = 60'000;
  EXPECT_EQ(PlanServices(spec).stop_seconds, 66u);
}

TEST(SpecPlan, UsersWithoutANumberAreNotMapped) {
  specs::Spec spec = Notebook();
  for (const char* user : {"somebody", "99999999999", ""}) {
    spec.image.user = user;
    EXPECT_EQ(PlanCommand(spec).image_user, std::nullopt) << user;
  }
}

// What answers is told from what does not, by the very command that containers run.
TEST(HealthCommand, AsksEveryProbe) {
  EXPECT_THAT(HealthCommand({}), IsEmpty());
  const std::string server =
      "import http.server, subprocess, sys, threading\n"
      "class Handler(http.server.BaseHTTPRequestHandler):\n"
      "  def do_GET(self):\n"
      "    self.send_response(200 if self.path == '/ok' else 500)\n"
      "    self.end_headers()\n"
      "  def log_message(self, *_): pass\n"
      "server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)\n"
      "threading.Thread(target=server.serve_forever, daemon=True).start()\n"
      "port = str(server.server_port)\n"
      "sys.exit(subprocess.call([a.replace('4242', port) for a in sys.argv[1:]],\n"
      "                         stderr=subprocess.DEVNULL))\n";
  auto asked = [&](const std::vector<HealthProbe>& probes) {
    RunPlan plan;
    plan.probes = probes;
    std::vector<std::string> words = {"/usr/bin/python3", "-c", server};
    for (const std::string& word : HealthCommand(plan)) words.push_back(word);
    return RunProgram({.words = words}).status;
  };
  EXPECT_EQ(asked({{4242, "/ok"}, {4242, ""}}), 0);
  EXPECT_NE(asked({{4242, "/ok"}, {4242, "/broken"}}), 0);
  EXPECT_NE(asked({{1, ""}, {4242, "/ok"}}), 0);
}

}  // namespace
}  // namespace imgbuild::builder
