#include "builder/assemble/service_table_writer.h"

#include <cstring>
#include <memory>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/service_table.h"
#include "specs/base/error.h"

namespace imgbuild::builder {
namespace {

using testing::HasSubstr;

// What the supervisor itself makes of the text.
struct ReadBack {
  explicit ReadBack(const specs::Spec& spec)
      : text(RenderServiceTable(spec)), table(new runtime::ServiceTable) {
    error = runtime::ParseServiceTable(text.data(), text.size(), *table);
  }
  std::string text;
  std::unique_ptr<runtime::ServiceTable> table;
  runtime::TableError error;
};

specs::Spec Notebook() {
  specs::Spec spec;
  spec.services = {{.name = "jupyter",
                    .command = {"lab"},
                    .port = 8888,
                    .token = "JUPYTER_TOKEN",
                    .announce = "Lab is at http://127.0.0.1:{port 8888}/lab{token}"},
                   {.name = "web", .command = {"serve", "it"}, .port = 5050, .essential = true}};
  return spec;
}

TEST(ServiceTableWriter, TheSupervisorReadsWhatIsWritten) {
  specs::Spec spec = Notebook();
  spec.services[1].env = {{"TEXT", "two\nlines \\ here"}};
  spec.services[1].stop_signal = "SIGINT";
  ReadBack read(spec);
  ASSERT_EQ(read.error.reason, nullptr) << read.error.reason;
  ASSERT_EQ(read.table->size, 2u);
  const runtime::ServiceEntry& jupyter = read.table->services[0];
  EXPECT_STREQ(jupyter.token, "JUPYTER_TOKEN");
  EXPECT_STREQ(jupyter.dir, "/work");
  const runtime::ServiceEntry& web = read.table->services[1];
  EXPECT_STREQ(web.env[0], "TEXT=two\nlines \\ here");
  EXPECT_EQ(web.stop_signal, 2);
  EXPECT_TRUE(web.essential);
  EXPECT_STREQ(web.command.argv[1], "it");
  EXPECT_STREQ(jupyter.announce, "Lab is at http://127.0.0.1:{port 8888}/lab{token}");
  EXPECT_EQ(web.announce, nullptr);
  EXPECT_STREQ(read.table->shell.argv[0], "/bin/bash");
}

TEST(ServiceTableWriter, WritesWhatAServiceFindsAroundIt) {
  specs::Spec spec = Notebook();
  specs::Service& jupyter = spec.services[0];
  jupyter.type = specs::ServiceType::kOneshot;
  jupyter.env_files = {"-/run/x.env"};
  jupyter.secrets = {{"KEY", "/run/secrets/my key"}};
  jupyter.user = "1000:0";
  jupyter.umask = 027;
  jupyter.limits = {{"nofile", {10, std::nullopt}}, {"core", {0, 0}}};
  jupyter.max_failures = 3;
  ReadBack read(spec);
  ASSERT_EQ(read.error.reason, nullptr) << read.error.reason;
  const runtime::ServiceEntry& entry = read.table->services[0];
  EXPECT_EQ(entry.type, runtime::ServiceType::kOneshot);
  EXPECT_STREQ(entry.env_files[0], "-/run/x.env");
  EXPECT_STREQ(entry.secrets[0].variable, "KEY");
  EXPECT_STREQ(entry.secrets[0].file, "/run/secrets/my key");
  EXPECT_STREQ(entry.user, "1000:0");
  EXPECT_EQ(entry.umask, 027);
  ASSERT_EQ(entry.limits_size, 2u);
  EXPECT_EQ(entry.limits[0].resource, RLIMIT_CORE);
  EXPECT_EQ(entry.limits[1].limit.rlim_cur, 10u);
  EXPECT_EQ(entry.limits[1].limit.rlim_max, RLIM_INFINITY);
  EXPECT_EQ(entry.most_failures, 3u);
}

TEST(ServiceTableWriter, WritesProbes) {
  using Kind = specs::Probe::Kind;
  specs::Spec spec = Notebook();
  spec.services[0].ready = {.kind = Kind::kExec, .command = {"check", "me"}, .timeout_ms = 9'000};
  spec.services[0].live = {.kind = Kind::kHttp,
                           .http_path = "/live",
                           .timeout_ms = 70,
                           .interval_ms = 60,
                           .failures = 5};
  spec.services[1].ready = {.kind = Kind::kDelay, .timeout_ms = 80};
  spec.services[1].live = {
      .kind = Kind::kExec, .command = {"alive"}, .timeout_ms = 1, .interval_ms = 2, .failures = 3};
  ReadBack read(spec);
  ASSERT_EQ(read.error.reason, nullptr) << read.error.reason << "\n" << read.text;
  const runtime::ServiceEntry& jupyter = read.table->services[0];
  EXPECT_EQ(jupyter.ready.kind, runtime::ProbeKind::kExec);
  EXPECT_STREQ(jupyter.ready.command.argv[1], "me");
  EXPECT_EQ(jupyter.ready_ms, 9'000u);
  EXPECT_EQ(jupyter.live.port, 8888);
  EXPECT_STREQ(jupyter.live.path, "/live");
  EXPECT_EQ(jupyter.live.every_ms, 60u);
  EXPECT_EQ(jupyter.live.timeout_ms, 70u);
  EXPECT_EQ(jupyter.live.most, 5u);
  const runtime::ServiceEntry& web = read.table->services[1];
  EXPECT_EQ(web.ready.kind, runtime::ProbeKind::kDelay);
  EXPECT_EQ(web.ready_ms, 80u);
  EXPECT_STREQ(web.live.command.argv[0], "alive");
}

TEST(ServiceTableWriter, EveryLimitOfSpecsIsOneOfTheSupervisor) {
  for (const char* name : {"as", "core", "cpu", "data", "fsize", "memlock", "msgqueue", "nice",
                           "nofile", "nproc", "rtprio", "sigpending", "stack"}) {
    EXPECT_GE(runtime::ResourceByName(name), 0) << name;
  }
  EXPECT_EQ(runtime::ResourceByName("speed"), -1);
}

TEST(ServiceTableWriter, OrdersServicesByAfter) {
  specs::Spec spec;
  spec.services = {{.name = "a", .command = {"x"}, .after = {"c"}},
                   {.name = "b", .command = {"x"}},
                   {.name = "c", .command = {"x"}, .after = {"b"}}};
  ReadBack read(spec);
  ASSERT_EQ(read.error.reason, nullptr);
  EXPECT_STREQ(read.table->services[0].name, "b");
  EXPECT_STREQ(read.table->services[1].name, "c");
  EXPECT_STREQ(read.table->services[2].name, "a");
}

TEST(ServiceTableWriter, AnImageWithoutServicesHasAShell) {
  specs::Spec spec;
  spec.system.profile = specs::Profile::kDistroless;
  ReadBack read(spec);
  EXPECT_EQ(read.table->size, 0u);
  EXPECT_STREQ(read.table->shell.argv[0], "/opt/venv/bin/python3");
}

TEST(ServiceTableWriter, SaysWhatItCannotHold) {
  specs::Spec spec;
  spec.services = {{.name = "a"}};
  EXPECT_THROW(RenderServiceTable(spec), specs::Error);
  spec.services = {{.name = "a", .command = {"x"}, .stop_signal = "BOGUS"}};
  EXPECT_THROW(RenderServiceTable(spec), specs::Error);
  spec.services = {{.name = "a", .command = std::vector<std::string>(200, "x")}};
  EXPECT_THROW(RenderServiceTable(spec), specs::Error);
}

}  // namespace
}  // namespace imgbuild::builder
