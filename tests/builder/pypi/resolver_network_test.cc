// Resolves real packages on the index this machine is set up with.
#include <chrono>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "builder/host/package_sources.h"
#include "builder/net/curl_client.h"
#include "builder/pypi/index_client.h"
#include "builder/pypi/resolver.h"
#include "tests/support/temp_folder.h"

namespace imgbuild::builder {
namespace {

ResolveInput Notebook() {
  ResolveInput input{.target = MakeTarget("3.11.2", {specs::Architecture::kAmd64})};
  for (const char* name :
       {"jupyterlab", "pandas", "numpy", "matplotlib", "scipy", "fastapi", "python-fasthtml"}) {
    input.requirements.push_back(std::get<specs::Requirement>(specs::Requirement::Parse(name)));
  }
  return input;
}

TEST(ResolverNetwork, ResolvesANotebookOnceFromTheIndexAndOnceFromTheCache) {
  Environment environment = Environment::OfProcess();
  SourceSetting setting;
  try {
    setting = FindPythonIndex(environment, {}, ReadHostSources(environment));
  } catch (const specs::Error& error) {
    GTEST_SKIP() << "no package index is configured: " << error.what();
  }
  support::TempFolder folder;
  CurlClient http({.user_agent = "imgbuild-test",
                   .ca_file = environment.FirstOf({"SSL_CERT_FILE", "PIP_CERT"}).value_or("")});
  auto resolve = [&](Connectivity connectivity) {
    auto now = std::chrono::system_clock::now().time_since_epoch();
    return ResolvePython(Notebook(),
                         {.http = http,
                          .indexes = {MakeIndex("default", setting.url)},
                          .cache_folder = folder.path(),
                          .connectivity = connectivity,
                          .now = std::chrono::duration_cast<std::chrono::seconds>(now).count(),
                          .progress = {}});
  };
  Resolution online = resolve(Connectivity::kOnline);
  EXPECT_GT(online.packages.size(), 100u);
  Resolution offline = resolve(Connectivity::kOffline);
  ASSERT_EQ(online.packages.size(), offline.packages.size());
  for (std::size_t i = 0; i < online.packages.size(); ++i) {
    EXPECT_EQ(online.packages[i].filename, offline.packages[i].filename);
    EXPECT_TRUE(online.packages[i].sha256.has_value());
    EXPECT_THAT(online.packages[i].filename, testing::EndsWith(".whl"));
  }
}

}  // namespace
}  // namespace imgbuild::builder
