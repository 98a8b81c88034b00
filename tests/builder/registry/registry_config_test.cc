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
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

RegistryConfig Config(const std::string& text) {
  return RegistryConfig(RegistryConfig::Parse(text, "registries.conf"));
}

TEST(RegistryConfigTest, WithoutRulesTheRegistryItself) {
  const Endpoint endpoint = RegistryConfig().ForWriting("registry.example:5000", "team/app");
  EXPECT_EQ(endpoint.host, "registry.example:5000");
  EXPECT_EQ(endpoint.repository, "team/app");
  EXPECT_EQ(endpoint.transport, Transport::kTls);
}

TEST(RegistryConfigTest, ARegistryAsAWholeOrANamespaceOfIt) {
  const Endpoint whole = RegistryConfig().ForWriting("registry.example:5000", "");
  EXPECT_EQ(whole.host, "registry.example:5000");
  EXPECT_EQ(whole.repository, "");
  const Endpoint part = RegistryConfig().ForWriting("registry.example:5000/team", "");
  EXPECT_EQ(part.host, "registry.example:5000");
  EXPECT_EQ(part.repository, "team");
  const RegistryConfig config =
      Config("[[registry]]\nprefix = \"registry.example\"\nlocation = \"store.example\"\n");
  EXPECT_EQ(config.ForWriting("registry.example", "").host, "store.example");
  EXPECT_EQ(config.ForWriting("registry.example", "").repository, "");
  EXPECT_EQ(config.ForWriting("registry.example/team", "").host, "store.example");
  EXPECT_EQ(config.ForWriting("registry.example/team", "").repository, "team");
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
  const std::vector<Endpoint> read =
      config.ForReading("registry.example", "team/app", ReadBy::kTag);
  ASSERT_THAT(read, SizeIs(2));
  EXPECT_EQ(read[0].host, "mirror.example");
  EXPECT_EQ(read[0].repository, "cache/app");
  EXPECT_EQ(read[0].transport, Transport::kFallback);
  EXPECT_EQ(read[1].host, "store.example");
  EXPECT_EQ(read[1].repository, "t/app");
  // By which name its credentials may be kept; a mirror is another's.
  EXPECT_EQ(read[1].written, "registry.example/team/app");
  EXPECT_EQ(read[0].written, "");
  EXPECT_EQ(config.ForWriting("other.example", "team/app").written, "");
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
  EXPECT_THROW((void)config.ForReading("bad.example", "a", ReadBy::kTag), specs::Error);
}

TEST(RegistryConfigTest, WrongTypesSayWhere) {
  for (const char* text :
       {"registry = 1", "[[registry]]\nlocation = 1\n", "[[registry]]\n", "[[",
        "credential-helpers = \"x\"", "credential-helpers = [1]",
        "[[registry]]\nlocation = \"a.example\"\n[[registry.mirror]]\nlocation = \"b.example\"\n"
        "pull-from-mirror = \"never\"",
        "[[registry]]\nlocation = \"a.example\"\nmirror-by-digest-only = true\n"
        "[[registry.mirror]]\nlocation = \"b.example\"\npull-from-mirror = \"all\""}) {
    try {
      (void)Config(text);
      ADD_FAILURE() << text;
    } catch (const specs::Error& error) {
      EXPECT_THAT(error.what(), HasSubstr("registries.conf:"));
    }
  }
}

std::vector<std::string> HostsOf(const RegistryConfig& config, const std::string& registry,
                                 ReadBy by) {
  std::vector<std::string> hosts;
  for (const Endpoint& endpoint : config.ForReading(registry, "a", by)) {
    hosts.push_back(endpoint.host);
  }
  return hosts;
}

TEST(RegistryConfigTest, MirrorsMayBeForDigestsOrTagsAlone) {
  const RegistryConfig config = Config(R"(
[[registry]]
location = "one.example"
mirror-by-digest-only = true
[[registry.mirror]]
location = "m1.example"
[[registry.mirror]]
location = "m2.example"
[[registry]]
location = "two.example"
[[registry.mirror]]
location = "digests.example"
pull-from-mirror = "digest-only"
[[registry.mirror]]
location = "tags.example"
pull-from-mirror = "tag-only"
[[registry.mirror]]
location = "all.example"
pull-from-mirror = "all"
)");
  EXPECT_THAT(HostsOf(config, "one.example", ReadBy::kTag), ElementsAre("one.example"));
  EXPECT_THAT(HostsOf(config, "one.example", ReadBy::kDigest),
              ElementsAre("m1.example", "m2.example", "one.example"));
  EXPECT_THAT(HostsOf(config, "two.example", ReadBy::kTag),
              ElementsAre("tags.example", "all.example", "two.example"));
  EXPECT_THAT(HostsOf(config, "two.example", ReadBy::kDigest),
              ElementsAre("digests.example", "all.example", "two.example"));
}

TEST(RegistryConfigTest, HelpersForCredentials) {
  EXPECT_THAT(Config("").CredentialHelpers(), ElementsAre("containers-auth.json"));
  EXPECT_THAT(
      Config("credential-helpers = [\"vault\", \"containers-auth.json\"]").CredentialHelpers(),
      ElementsAre("vault", "containers-auth.json"));
}

TEST(RegistryConfigTest, ServersThatRequestsAreSentOnTo) {
  const RegistryConfig config = Config(R"(
[[registry]]
location = "storage.example:9000"
insecure = true

[[registry]]
prefix = "moved.example"
location = "other.example"
blocked = true

[[registry]]
location = "part.example/team"
insecure = true
)");
  EXPECT_EQ(config.OfServer("storage.example:9000").transport, Transport::kFallback);
  EXPECT_EQ(config.OfServer("storage.example").transport, Transport::kTls);
  EXPECT_EQ(config.OfServer("moved.example").host, "moved.example");
  EXPECT_EQ(config.OfServer("part.example").transport, Transport::kTls);
}

TEST(RegistryConfigTest, FilesOfTheHost) {
  support::TempFolder folder;
  const fs::path config = folder.path() / "containers";
  fs::create_directories(config / "registries.conf.d");
  fs::create_directories(config / "certs.d/registry.example");
  layers::WriteFileAtomically(config / "registries.conf",
                              "[[registry]]\nlocation = \"a.example\"\ninsecure = true\n");
  layers::WriteFileAtomically(
      config / "registries.conf.d/10.conf",
      "credential-helpers = [\"vault\"]\n[[registry]]\nlocation = \"a.example\"\n");
  for (const char* file : {"ca.crt", "old.crt", "me.cert", "me.key"}) {
    layers::WriteFileAtomically(config / "certs.d/registry.example" / file, file);
  }
  const RegistryConfig host =
      RegistryConfig::OfHost(Environment::Of({{"XDG_CONFIG_HOME", folder.path().string()}}));
  EXPECT_EQ(host.ForWriting("a.example", "x").transport, Transport::kTls);
  EXPECT_THAT(host.CredentialHelpers(), ElementsAre("vault"));
  const Endpoint endpoint = host.ForWriting("registry.example", "x");
  ASSERT_NE(endpoint.tls, nullptr);
  EXPECT_EQ(endpoint.tls->authorities, "ca.crt\nold.crt\n");
  EXPECT_THAT(endpoint.tls->certificate, HasSubstr("me.cert"));
  EXPECT_THAT(endpoint.tls->key, HasSubstr("me.key"));
  ASSERT_NE(host.OfServer("registry.example").tls, nullptr);
  EXPECT_EQ(host.OfServer("registry.example").tls->authorities, "ca.crt\nold.crt\n");
  EXPECT_EQ(host.OfServer("storage.example").tls, nullptr);
}

}  // namespace
}  // namespace imgbuild::builder
