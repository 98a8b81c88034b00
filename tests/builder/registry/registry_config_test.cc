#include "builder/registry/registry_config.h"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "layers/io/atomic_file.h"
#include "specs/base/error.h"
#include "tests/support/temp_folder.h"

namespace imgbuild::builder {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::SizeIs;

RegistryConfig Config(const std::string& text) {
  return RegistryConfig(RegistryConfig::ParseRules(text, "registries.conf"));
}

TEST(RegistryConfigTest, WithoutRulesTheRegistryItself) {
  const Endpoint endpoint = RegistryConfig().ForWriting("registry.example:5000", "team/app");
  EXPECT_EQ(endpoint.host, "registry.example:5000");
  EXPECT_EQ(endpoint.repository, "team/app");
  EXPECT_EQ(endpoint.transport, Transport::kTls);
}

TEST(RegistryConfigTest, MirrorsAreReadFromAndNeverWrittenTo) {
  const RegistryConfig config = Config(R"(
unqualified-search-registries = ["registry.example"]
[[registry]]
prefix = "registry.example/team"
location = "store.example/t"
[[registry.mirror]]
location = "mirror.example/cache"
insecure = true
)");
  const std::vector<Endpoint> read = config.ForReading("registry.example", "team/app");
  ASSERT_THAT(read, SizeIs(2));
  EXPECT_EQ(read[0].host, "mirror.example");
  EXPECT_EQ(read[0].repository, "cache/app");
  EXPECT_EQ(read[0].transport, Transport::kFallback);
  EXPECT_EQ(read[1].host, "store.example");
  EXPECT_EQ(read[1].repository, "t/app");
  EXPECT_EQ(config.ForWriting("registry.example", "team/app"), read[1]);
  EXPECT_EQ(config.ForWriting("registry.example", "teams/app").host, "registry.example");
}

TEST(RegistryConfigTest, TheLongestPrefixAndAnySubdomain) {
  const RegistryConfig config = Config(R"(
[[registry]]
prefix = "*.example"
insecure = true
[[registry]]
location = "safe.example"
)");
  EXPECT_EQ(config.ForWriting("any.example", "a").transport, Transport::kFallback);
  EXPECT_EQ(config.ForWriting("safe.example", "a").transport, Transport::kTls);
  EXPECT_EQ(config.ForWriting("example", "a").transport, Transport::kTls);
}

TEST(RegistryConfigTest, BlockedIsAnError) {
  const RegistryConfig config =
      Config("[[registry]]\nlocation = \"bad.example\"\nblocked = true\n");
  EXPECT_THROW((void)config.ForReading("bad.example", "a"), specs::Error);
}

TEST(RegistryConfigTest, WrongTypesSayWhere) {
  for (const char* text :
       {"registry = 1", "[[registry]]\nlocation = 1\n", "[[registry]]\n", "[["}) {
    try {
      (void)Config(text);
      ADD_FAILURE() << text;
    } catch (const specs::Error& error) {
      EXPECT_THAT(error.what(), HasSubstr("registries.conf:"));
    }
  }
}

TEST(RegistryConfigTest, FilesOfTheHost) {
  support::TempFolder folder;
  const fs::path config = folder.path() / "containers";
  fs::create_directories(config / "registries.conf.d");
  fs::create_directories(config / "certs.d/registry.example");
  layers::WriteFileAtomically(config / "registries.conf",
                              "[[registry]]\nlocation = \"a.example\"\ninsecure = true\n");
  layers::WriteFileAtomically(config / "registries.conf.d/10.conf",
                              "[[registry]]\nlocation = \"a.example\"\n");
  for (const char* file : {"ca.crt", "me.cert", "me.key"}) {
    layers::WriteFileAtomically(config / "certs.d/registry.example" / file, "x");
  }
  const RegistryConfig host =
      RegistryConfig::OfHost(Environment::Of({{"XDG_CONFIG_HOME", folder.path().string()}}));
  EXPECT_EQ(host.ForWriting("a.example", "x").transport, Transport::kTls);
  const Endpoint endpoint = host.ForWriting("registry.example", "x");
  ASSERT_NE(endpoint.tls, nullptr);
  EXPECT_THAT(endpoint.tls->ca_file, HasSubstr("ca.crt"));
  EXPECT_THAT(endpoint.tls->certificate, HasSubstr("me.cert"));
  EXPECT_THAT(endpoint.tls->key, HasSubstr("me.key"));
}

}  // namespace
}  // namespace imgbuild::builder
