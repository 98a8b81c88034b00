#include "builder/host/pip_config.h"

#include <gtest/gtest.h>

namespace imgbuild::builder {
namespace {

TEST(PipConfig, InstallWinsOverGlobalAndLaterFilesOverEarlier) {
  PipConfig config;
  MergePipConfig(
      "[global]\nindex_url = https://a.example/simple\n[install]\n"
      "index-url: https://b.example/simple\n[list]\nindex-url = https://c.example\n",
      "one.conf", config);
  EXPECT_EQ(config.index_url, "https://b.example/simple");
  MergePipConfig(
      "# none\n[global]\ntimeout = 3\nextra-index-url =\n  https://x.example\n"
      "  https://y.example\n",
      "two.conf", config);
  EXPECT_EQ(config.index_url, "https://b.example/simple");
  EXPECT_EQ(config.index_file, "one.conf");
  EXPECT_EQ(config.extra_index_urls,
            (std::vector<std::string>{"https://x.example", "https://y.example"}));
  EXPECT_EQ(config.extra_file, "two.conf");
}

}  // namespace
}  // namespace imgbuild::builder
