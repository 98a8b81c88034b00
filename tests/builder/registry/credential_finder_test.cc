#include "builder/registry/credential_finder.h"

#include <cstdlib>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "builder/registry/credential_helper.h"
#include "builder/registry/logins.h"
#include "layers/io/atomic_file.h"
#include "layers/io/file.h"
#include "specs/base/error.h"
#include "tests/support/temp_folder.h"

namespace imgbuild::builder {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

class CredentialFinderTest : public testing::Test {
 protected:
  // An auth file with one user for registry.example.
  fs::path Write(const std::string& name, const std::string& base64) {
    const fs::path path = folder_.path() / name;
    fs::create_directories(path.parent_path());
    layers::WriteFileAtomically(path,
                                R"({"auths":{"registry.example":{"auth":")" + base64 + R"("}}})");
    return path;
  }

  // docker-credential-NAME in the path, a shell script.
  void WriteHelper(const std::string& name, const std::string& script) {
    const fs::path path = folder_.path() / ("docker-credential-" + name);
    layers::WriteFileAtomically(path, "#!/bin/sh\n" + script, 0755);
    ::setenv("PATH", (folder_.path().string() + ":" + path_).c_str(), 1);
  }
  void TearDown() override { ::setenv("PATH", path_.c_str(), 1); }

  const std::vector<std::string> kFiles = {"containers-auth.json"};
  support::TempFolder folder_;
  const std::string path_ = ::getenv("PATH");
};

TEST_F(CredentialFinderTest, TheEnvironmentGoesFirst) {
  const fs::path file = Write("auth.json", "ZmlsZTp4");
  const CredentialFinder finder(
      Environment::Of({{"REGISTRY_AUTH_FILE", file.string()},
                       {"IMGBUILD_REGISTRY_REGISTRY_EXAMPLE_5000_USERNAME", "env"},
                       {"IMGBUILD_REGISTRY_REGISTRY_EXAMPLE_5000_PASSWORD", "pw"}}),
      kFiles);
  const Credentials found = finder.Find("registry.example:5000", "a");
  EXPECT_EQ(found.user, "env");
  EXPECT_EQ(found.password.Reveal(), "pw");
  EXPECT_EQ(finder.Find("registry.example", "a").user, "file");
  EXPECT_TRUE(finder.Find("other.example", "a").empty());
}

TEST_F(CredentialFinderTest, FilesInTheirOrder) {
  const std::string home = folder_.path();
  Write(".docker/config.json", "ZG9ja2VyOng=");
  const CredentialFinder finder(
      Environment::Of({{"HOME", home}, {"XDG_RUNTIME_DIR", home + "/run"}}), kFiles);
  EXPECT_EQ(finder.Find("registry.example", "a").user, "docker");
  Write(".config/containers/auth.json", "cG9kbWFuOng=");
  EXPECT_EQ(finder.Find("registry.example", "a").user, "podman");
  Write("run/containers/auth.json", "cnVuOng=");
  EXPECT_EQ(finder.Find("registry.example", "a").user, "run");
  EXPECT_EQ(finder.FileForLogin(), home + "/run/containers/auth.json");
}

TEST_F(CredentialFinderTest, HelpersOfRegistriesConfInTheirOrder) {
  const fs::path file = Write("auth.json", "ZmlsZTp4");
  const Environment environment = Environment::Of({{"REGISTRY_AUTH_FILE", file.string()}});
  WriteHelper(
      "vault",
      "read server; [ $server = vault.example ] || { echo credentials not found; exit 1; }\n"
      "echo '{\"Username\":\"vault\",\"Secret\":\"s\"}'\n");
  const CredentialFinder both(environment, {"vault", "containers-auth.json"});
  EXPECT_EQ(both.Find("vault.example", "a").user, "vault");
  EXPECT_EQ(both.Find("registry.example", "a").user, "file");
  const CredentialFinder alone(environment, {"vault"});
  EXPECT_TRUE(alone.Find("registry.example", "a").empty());
}

TEST_F(CredentialFinderTest, WhatTheUserCallsItCountsToo) {
  const fs::path file = folder_.path() / "auth.json";
  layers::WriteFileAtomically(
      file,
      R"({"auths":{"registry.example/team":{"auth":"YW5uOng="},"api.example":{"auth":"Ym9iOng="}}})");
  const CredentialFinder finder(Environment::Of({{"REGISTRY_AUTH_FILE", file.string()}}), kFiles);
  Endpoint endpoint{.host = "store.example", .repository = "t/app", .tls = nullptr};
  EXPECT_TRUE(finder.Find(endpoint).empty());
  endpoint.written = "registry.example/team/app";
  EXPECT_EQ(finder.Find(endpoint).user, "ann");
  endpoint.host = "api.example";
  EXPECT_EQ(finder.Find(endpoint).user, "bob");
}

TEST_F(CredentialFinderTest, AHelperThatNeverAnswersIsNotWaitedForForEver) {
  WriteHelper("slow", "exec sleep 600\n");
  EXPECT_THROW(
      (void)AskCredentialHelper("slow", "registry.example", std::chrono::milliseconds(200)),
      specs::Error);
}

TEST_F(CredentialFinderTest, ALogoutSaysWhatIsLeft) {
  const std::string home = folder_.path();
  const CredentialFinder finder(
      Environment::Of({{"HOME", home}, {"XDG_CONFIG_HOME", home + "/config"}}), kFiles);
  Credentials ann{
      .user = "ann", .password = specs::Secret(" p w "), .identity_token = {}, .origin = ""};
  const std::string file = KeepLogin(finder, "registry.example", ann);
  EXPECT_EQ(finder.Find("registry.example", "a").password.Reveal(), " p w ");

  ForgottenLogin logout = ForgetLogin(finder, "registry.example");
  EXPECT_EQ(logout, (ForgottenLogin{.from = {file}, .file = file, .left = ""}));
  EXPECT_TRUE(finder.Find("registry.example", "a").empty());
  EXPECT_THAT(RenderLogout(logout, "registry.example"), HasSubstr("removed from"));

  const fs::path docker = Write(".docker/config.json", "ZG9ja2VyOng=");
  logout = ForgetLogin(finder, "registry.example");
  EXPECT_EQ(logout, (ForgottenLogin{.from = {}, .file = file, .left = docker.string()}));
  EXPECT_THAT(RenderLogout(logout, "registry.example"), HasSubstr(docker.string()));
  EXPECT_THAT(RenderLogout(logout, "registry.example"), Not(HasSubstr("logged out")));
}

class LoginHelperTest : public CredentialFinderTest {
 protected:
  // Keeps what it is given for a server in a file of the server's name.
  void WriteKeeper() {
    WriteHelper("keys", "cd " + folder_.path().string() + R"SH(
if [ $1 = store ]; then
  read -r given
  server=$(printf '%s' "$given" | sed 's/.*"ServerURL":"\([^"]*\)".*/\1/')
  printf '%s' "$given" >key-$(printf '%s' $server | tr /: __)
  exit
fi
read -r server; file=key-$(printf '%s' $server | tr /: __)
[ -e $file ] || { echo credentials not found in native keychain; exit 1; }
case $1 in get) cat $file ;; erase) rm $file ;; esac
)SH");
  }

  CredentialFinder WithFile(const std::string& text, std::vector<std::string> helpers) {
    layers::WriteFileAtomically(file_, text);
    return {Environment::Of({{"REGISTRY_AUTH_FILE", file_.string()}}), std::move(helpers)};
  }

  // A login, what the next command finds, and a logout.
  void ExpectKept(const CredentialFinder& finder, const std::string& server) {
    EXPECT_EQ(KeepLogin(finder, "registry.example", ann_), "docker-credential-keys");
    EXPECT_TRUE(fs::exists(folder_.path() / ("key-" + server)));
    EXPECT_THAT(layers::ReadFile(file_), Not(HasSubstr("YW5u")));
    EXPECT_EQ(finder.Find("registry.example", "a").password.Reveal(), "p\"w");
    EXPECT_EQ(finder.Find("registry.example", "a").user, "ann");

    const ForgottenLogin logout = ForgetLogin(finder, "registry.example");
    ASSERT_FALSE(logout.from.empty());
    EXPECT_EQ(logout.from.front(), "docker-credential-keys");
    EXPECT_EQ(logout.left, "");
    EXPECT_FALSE(fs::exists(folder_.path() / ("key-" + server)));
    EXPECT_TRUE(finder.Find("registry.example", "a").empty());
    EXPECT_TRUE(ForgetLogin(finder, "registry.example").from.empty());
  }

  const fs::path file_ = folder_.path() / "auth.json";
  const Credentials ann_{
      .user = "ann", .password = specs::Secret("p\"w"), .identity_token = {}, .origin = ""};
};

TEST_F(LoginHelperTest, HelpersKeepLoginsWhereTheFileSaysSo) {
  WriteKeeper();
  ExpectKept(WithFile(R"({"credHelpers":{"registry.example":"keys"}})", kFiles),
             "registry.example");
  ExpectKept(WithFile(R"({"credsStore":"keys"})", kFiles), "registry.example");
  // By the name that the file has for it.
  ExpectKept(
      WithFile(R"({"credsStore":"keys","auths":{"https://registry.example/v1/":{}}})", kFiles),
      "https___registry.example_v1_");
  // What stood in the file itself is older.
  ExpectKept(
      WithFile(R"({"credsStore":"keys","auths":{"registry.example":{"auth":"YW5uOm8="}}})", kFiles),
      "registry.example");
}

TEST_F(LoginHelperTest, HelpersOfRegistriesConfKeepWholeRegistries) {
  WriteKeeper();
  const CredentialFinder finder = WithFile("{}", {"keys", "containers-auth.json"});
  ExpectKept(finder, "registry.example");
  EXPECT_EQ(KeepLogin(finder, "registry.example/team", ann_), file_.string());
  EXPECT_EQ(finder.Find("registry.example", "team/a").user, "ann");
}

TEST_F(LoginHelperTest, ALoginReplacesWhatCannotBeRead) {
  const CredentialFinder finder =
      WithFile(R"({"auths":{"registry.example":{"auth":"garbage"}}})", kFiles);
  EXPECT_THROW((void)finder.Find("registry.example", "a"), specs::Error);
  EXPECT_EQ(KeepLogin(finder, "registry.example", ann_), file_.string());
  EXPECT_EQ(finder.Find("registry.example", "a").user, "ann");
}

TEST_F(LoginHelperTest, AHelperThatIsGoneKeepsNothingInTheFile) {
  const CredentialFinder finder =
      WithFile(R"({"auths":{"registry.example":{"auth":"YW5uOm8="}},"credsStore":"gone"})", kFiles);
  EXPECT_THROW(ForgetLogin(finder, "registry.example"), specs::Error);
  EXPECT_THAT(layers::ReadFile(file_), Not(HasSubstr("YW5uOm8=")));
}

TEST_F(LoginHelperTest, AHelperThatKeepsNothingIsAnError) {
  WriteHelper("full", "echo pass not initialized; exit 1\n");
  const CredentialFinder finder = WithFile(R"({"credsStore":"full"})", kFiles);
  try {
    (void)KeepLogin(finder, "registry.example", ann_);
    ADD_FAILURE();
  } catch (const specs::Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("pass not initialized"));
  }
  Credentials latin = ann_;
  latin.password = specs::Secret("\xe9");
  EXPECT_THROW(KeepLogin(finder, "registry.example", latin), specs::Error);
  EXPECT_EQ(layers::ReadFile(file_), R"({"credsStore":"full"})");
}

TEST_F(CredentialFinderTest, AsksAHelper) {
  WriteHelper("good", "read server; printf '{\"Username\":\"u-%s\",\"Secret\":\"s\"}' $server\n");
  const auto found = AskCredentialHelper("good", "registry.example");
  EXPECT_EQ(found->user, "u-registry.example");
  EXPECT_EQ(found->password.Reveal(), "s");
  WriteHelper("token", "echo '{\"Username\":\"<token>\",\"Secret\":\"s\"}'\n");
  EXPECT_EQ(AskCredentialHelper("token", "x")->identity_token.Reveal(), "s");
  WriteHelper("none", "echo 'credentials not found in native keychain'; exit 1\n");
  EXPECT_EQ(AskCredentialHelper("none", "x"), std::nullopt);
}

TEST_F(CredentialFinderTest, AHelperThatFailsIsAnErrorWithoutItsAnswer) {
  WriteHelper("bad", "echo hunter2; exit 3\n");
  WriteHelper("odd", "echo '[\"hunter2\"]'\n");
  for (const char* name : {"bad", "odd", "missing", "../sh"}) {
    try {
      (void)AskCredentialHelper(name, "registry.example");
      ADD_FAILURE() << name;
    } catch (const specs::Error& error) {
      EXPECT_THAT(error.what(), Not(HasSubstr("hunter2")));
      EXPECT_THAT(error.what(), HasSubstr(name));
    }
  }
}

}  // namespace
}  // namespace imgbuild::builder
