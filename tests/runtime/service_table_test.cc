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

constexpr char kHead[] = "imgbuild-services 1\n";

TEST(ServiceTable, ReadsEveryKey) {
  Parsed parsed(std::string(kHead) +
                "shell /bin/bash\nshell -l\n"
                "service a\nexec one\nexec two words\nexec back\\\\slash\\nline\ndir /work\n"
                "env K=V\nready tcp 80 1000\nrestart always\nessential\nstop 2 500\n"
                "token T\nannounce hello {token}\nend\n"
                "service b\nexec x\nafter a\nready http 8080 2000 /api\nend\n");
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
  EXPECT_EQ(a.probe, ProbeKind::kTcp);
  EXPECT_EQ(a.restart, RestartPolicy::kAlways);
  EXPECT_TRUE(a.essential);
  EXPECT_EQ(a.stop_signal, 2);
  EXPECT_EQ(a.stop_ms, 500u);
  const ServiceEntry& b = table.services[1];
  ASSERT_EQ(b.after_size, 1u);
  EXPECT_EQ(b.after[0], 0u);
  EXPECT_EQ(b.port, 8080);
  EXPECT_STREQ(b.path, "/api");
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
  EXPECT_NE(Parsed("imgbuild-services 2\n").error.reason, nullptr);
  EXPECT_NE(Parsed(std::string("imgbuild-services 1\nshell a\0b\n", 30)).error.reason, nullptr);
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

}  // namespace
}  // namespace imgbuild::runtime
