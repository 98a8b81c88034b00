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
  EXPECT_STREQ(read.table->shell.argv[0], "/usr/bin/python3");
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
