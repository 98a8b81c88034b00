#include "runtime/service_table.h"

#include <memory>
#include <string>

#include <gtest/gtest.h>

namespace imgbuild::runtime {
namespace {

// A table is large; it lives on the heap here.
struct Parsed {
  explicit Parsed(std::string given) : text(std::move(given)), table(new ServiceTable) {
    error = ParseServiceTable(text.data(), text.size(), *table);
  }
  std::string text;
  std::unique_ptr<ServiceTable> table;
  TableError error;
};

constexpr char kHead[] = "imgbuild-services 2\n";

TEST(ServiceTable, ReadsEveryKey) {
  Parsed parsed(std::string(kHead) +
                "shell /bin/bash\nshell -l\n"
                "service a\nexec one\nexec two words\nexec back\\\\slash\\nline\ndir /work\n"
                "env K=V\nenv-file -/run/x.env\nsecret KEY /run/secrets/my key\nuser web:0\n"
                "umask 027\nlimit nofile 1024 unlimited\n"
                "ready tcp 80 1000\nlive exec 5000 1000 3\nlive-exec check\nlive-exec -q\n"
                "restart always 7\nessential\nstop 2 500\n"
                "token T\nannounce hello {token}\nend\n"
                "service b\ntype oneshot\nexec x\nafter a\nready http 8080 2000 /api\n"
                "live http 8080 100 200 1 /live\nend\n");
  ASSERT_EQ(parsed.error.reason, nullptr) << parsed.error.reason;
  const ServiceTable& table = *parsed.table;
  ASSERT_EQ(table.size, 2u);
  EXPECT_STREQ(table.shell.argv[1], "-l");
  EXPECT_EQ(table.shell.argv[2], nullptr);
  const ServiceEntry& a = table.services[0];
  EXPECT_STREQ(a.command.argv[1], "two words");
  EXPECT_STREQ(a.command.argv[2], "back\\slash\nline");
  EXPECT_EQ(a.command.argv[3], nullptr);
  EXPECT_STREQ(a.dir, "/work");
  EXPECT_STREQ(a.env[0], "K=V");
  EXPECT_EQ(a.type, ServiceType::kService);
  ASSERT_EQ(a.env_files_size, 1u);
  EXPECT_STREQ(a.env_files[0], "-/run/x.env");
  ASSERT_EQ(a.secrets_size, 1u);
  EXPECT_STREQ(a.secrets[0].variable, "KEY");
  EXPECT_STREQ(a.secrets[0].file, "/run/secrets/my key");
  EXPECT_STREQ(a.user, "web:0");
  EXPECT_EQ(a.umask, 027);
  ASSERT_EQ(a.limits_size, 1u);
  EXPECT_EQ(a.limits[0].resource, RLIMIT_NOFILE);
  EXPECT_EQ(a.limits[0].limit.rlim_cur, 1024u);
  EXPECT_EQ(a.limits[0].limit.rlim_max, RLIM_INFINITY);
  EXPECT_EQ(a.ready.kind, ProbeKind::kTcp);
  EXPECT_EQ(a.ready_ms, 1000u);
  EXPECT_EQ(a.live.kind, ProbeKind::kExec);
  EXPECT_EQ(a.live.every_ms, 5000u);
  EXPECT_EQ(a.live.timeout_ms, 1000u);
  EXPECT_EQ(a.live.most, 3u);
  EXPECT_STREQ(a.live.command.argv[1], "-q");
  EXPECT_EQ(a.live.command.argv[2], nullptr);
  EXPECT_EQ(a.restart, RestartPolicy::kAlways);
  EXPECT_EQ(a.most_failures, 7u);
  EXPECT_TRUE(a.essential);
  EXPECT_EQ(a.stop_signal, 2);
  EXPECT_EQ(a.stop_ms, 500u);
  const ServiceEntry& b = table.services[1];
  ASSERT_EQ(b.after_size, 1u);
  EXPECT_EQ(b.after[0], 0u);
  EXPECT_EQ(b.type, ServiceType::kOneshot);
  EXPECT_EQ(b.ready.port, 8080);
  EXPECT_STREQ(b.ready.path, "/api");
  EXPECT_STREQ(b.live.path, "/live");
  EXPECT_EQ(b.umask, -1);
  EXPECT_EQ(b.most_failures, 10u);
}

TEST(ServiceTable, SaysWhereAndWhyItIsNone) {
  const struct {
    const char* body;
    std::size_t line;
  } kBad[] = {
      {"colour blue\n", 2},
      {"service a\nend\n", 3},
      {"service a\nexec x\n", 3},
      {"service a\nexec x\nend", 4},
      {"service a\nexec x\nafter b\nend\n", 4},
      {"service a\nexec bad\\escape\nend\n", 3},
      {"service a\nexec x\nready tcp 0 10\nend\n", 4},
      {"service a\nexec x\nready tcp 65536 10\nend\n", 4},
      {"service a\nexec x\nready http 80 10 relative\nend\n", 4},
      {"service a\nexec x\nready exec 10\nend\n", 5},
      {"service a\nexec x\nready-exec y\nend\n", 5},
      {"service a\nexec x\nready delay soon\nend\n", 4},
      {"service a\nexec x\nlive tcp 80 0 10 1\nend\n", 4},
      {"service a\nexec x\nlive tcp 80 10 10 0\nend\n", 4},
      {"service a\nexec x\nlive delay 10 10 1\nend\n", 4},
      {"service a\nexec x\ntype daemon\nend\n", 4},
      {"service a\nexec x\ntype job\nrestart always\nend\n", 6},
      {"service a\nexec x\nsecret KEY\nend\n", 4},
      {"service a\nexec x\numask 0888\nend\n", 4},
      {"service a\nexec x\numask 7777\nend\n", 4},
      {"service a\nexec x\nlimit speed 1 1\nend\n", 4},
      {"service a\nexec x\nlimit nofile 1\nend\n", 4},
      {"service a\nexec x\nrestart always often\nend\n", 4},
      {"service a\nexec x\nstop 99 1\nend\n", 4},
      {"service a\nexec x\nrestart sometimes\nend\n", 4},
      {"service a\nexec x\nenv novalue\nend\n", 4},
  };
  for (const auto& bad : kBad) {
    Parsed parsed(std::string(kHead) + bad.body);
    EXPECT_NE(parsed.error.reason, nullptr) << bad.body;
    EXPECT_EQ(parsed.error.line, bad.line) << bad.body;
  }
  EXPECT_NE(Parsed("").error.reason, nullptr);
  EXPECT_NE(Parsed("imgbuild-services 1\n").error.reason, nullptr);
  EXPECT_NE(Parsed(std::string("imgbuild-services 2\nshell a\0b\n", 30)).error.reason, nullptr);
}

TEST(ServiceTable, BoundsEverything) {
  std::string many = kHead;
  for (std::size_t i = 0; i <= kMaxServices; ++i) {
    many += "service s" + std::to_string(i) + "\nexec x\nend\n";
  }
  EXPECT_STREQ(Parsed(many).error.reason, "too many services");
  std::string arguments = std::string(kHead) + "service a\n";
  for (std::size_t i = 0; i <= kMaxArguments; ++i) arguments += "exec x\n";
  EXPECT_STREQ(Parsed(arguments).error.reason, "too many arguments");
}

TEST(ServiceTable, TellsServicesThatDifferFromThoseThatDoNot) {
  const std::string first = "service a\nexec one\nend\n";
  const std::string second =
      "service b\nexec x\nenv K=V\nlimit core 0 0\nready exec 10\nready-exec y\nafter a\nend\n";
  const Parsed old(kHead + first + second);
  const Parsed moved(kHead + ("service new\nexec y\nend\n" + first) + second);
  ASSERT_EQ(old.error.reason, nullptr);
  ASSERT_EQ(moved.error.reason, nullptr);
  EXPECT_TRUE(SameService(*old.table, 0, *moved.table, 1));
  EXPECT_TRUE(SameService(*old.table, 1, *moved.table, 2));
  EXPECT_FALSE(SameService(*old.table, 0, *moved.table, 0));
  for (const char* change :
       {"env K=W", "env", "limit core 0 1", "ready-exec z", "exec y", "after"}) {
    std::string other = second;
    const std::string key = std::string(change).substr(0, std::string(change).find(' '));
    const std::size_t at = other.find(key + " ");
    const std::size_t end = other.find('\n', at) + 1;
    // A key alone: the line is left out.
    other.replace(at, end - at, key == change ? "" : std::string(change) + "\n");
    const Parsed changed(kHead + first + other);
    ASSERT_EQ(changed.error.reason, nullptr) << other;
    EXPECT_FALSE(SameService(*old.table, 1, *changed.table, 1)) << change;
  }
}

}  // namespace
}  // namespace imgbuild::runtime
