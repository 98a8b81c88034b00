// Environment, secrets, users and limits of services.
#include <filesystem>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/runtime/init_process.h"
#include "tests/runtime/scripts.h"
#include "tests/support/temp_folder.h"

namespace imgbuild::runtime {
namespace {

using testing::HasSubstr;
using testing::Not;

class Surroundings : public testing::Test {
 protected:
  std::string Write(const std::string& name, const std::string& text) {
    const std::filesystem::path path = folder_.path() / name;
    std::ofstream(path) << text;
    return path.string();
  }
  std::string Missing() { return (folder_.path() / "missing").string(); }

  // What the script says; the status in `status_`.
  std::string Say(const std::string& script, const std::string& more,
                  std::vector<std::string> env = {}) {
    InitProcess init(TableOf(Script("a", script, more + "restart never\nessential\n")), {},
                     std::move(env));
    status_ = init.WaitForExit();
    return init.output();
  }

  support::TempFolder folder_;
  int status_ = -1;
};

TEST_F(Surroundings, ReadsEnvFilesAsEnginesDo) {
  const std::string file =
      Write("env", "# comment\nA=one two\nB=\"quoted\"\nnothing\n=x\nC=a=b\r\nD=");
  EXPECT_EQ(Say("echo \"$A|$B|$C|$D|$E\"", "env-file " + file + "\nenv E=own\n"),
            "[a] one two|\"quoted\"|a=b||own\nimgbuild-init: a exited with status 0\n");
}

TEST_F(Surroundings, TheTablesEnvironmentWinsOverEnvFiles) {
  const std::string file = Write("env", "A=file\n");
  EXPECT_THAT(Say("echo $A", "env-file " + file + "\nenv A=table\n", {"A=engine"}),
              HasSubstr("[a] table\n"));
}

TEST_F(Surroundings, EnvFilesAreNeededUnlessADashSaysOtherwise) {
  EXPECT_THAT(Say("echo ran", "env-file " + Missing() + "\n"),
              HasSubstr("cannot read the env-file " + Missing() + ": No such file"));
  EXPECT_EQ(status_, 126);
  EXPECT_THAT(Say("echo ran", "env-file -" + Missing() + "\n"), HasSubstr("[a] ran"));
  EXPECT_EQ(status_, 0);
}

TEST_F(Surroundings, SecretsBecomeVariablesWithoutTheirLastNewline) {
  const std::string file = Write("key", "s3 cret=\n");
  EXPECT_THAT(Say("echo \"<$KEY>\"", "secret KEY " + file + "\nenv KEY=other\n"),
              HasSubstr("[a] <s3 cret=>\n"));
}

TEST_F(Surroundings, ASecretMayComeAsAVariableInstead) {
  EXPECT_THAT(Say("echo \"<$KEY>\"", "secret KEY " + Missing() + "\n", {"KEY=given"}),
              HasSubstr("[a] <given>\n"));
  const std::string output = Say("echo ran", "secret KEY " + Missing() + "\n");
  EXPECT_THAT(output, HasSubstr("cannot read the secret " + Missing()));
  EXPECT_THAT(output, Not(HasSubstr("[a] ran")));
  EXPECT_EQ(status_, 126);
}

TEST_F(Surroundings, AnEnvFileThatIsTooLargeIsAnError) {
  const std::string file = Write("env", "A=" + std::string(300 * 1024, 'x'));
  EXPECT_THAT(Say("echo ran", "env-file " + file + "\n"), HasSubstr("File too large"));
}

TEST_F(Surroundings, SetsUmaskAndLimits) {
  const std::string output = Say("umask; ulimit -n; ulimit -Hn; ulimit -c",
                                 "umask 027\nlimit nofile 100 200\nlimit core 0 0\n");
  EXPECT_THAT(output, HasSubstr("[a] 0027\n[a] 100\n[a] 200\n[a] 0\n"));
}

TEST_F(Surroundings, ALimitThatMayNotBeSetIsAnError) {
  if (geteuid() != 0) GTEST_SKIP() << "only root may be refused here: needs root";
  // More than the kernel's own most for descriptors.
  EXPECT_THAT(Say("echo ran", "limit nofile 1152921504606846976 1152921504606846976\n"),
              HasSubstr("cannot set the limit nofile"));
  EXPECT_EQ(status_, 126);
}

TEST_F(Surroundings, RunsAsAnotherUser) {
  if (geteuid() != 0) GTEST_SKIP() << "becoming another user needs root";
  const std::string ids =
      "echo $(id -u) $(id -g) $(id -G) $USER $HOME; echo x >/dev/stdout; "
      "kill -0 $PPID 2>/dev/null || echo powerless";
  EXPECT_THAT(Say(ids, "user daemon\n"),
              HasSubstr("[a] 1 1 1 daemon /usr/sbin\n[a] x\n[a] powerless\n"));
  EXPECT_THAT(Say(ids, "user 65000:7\n"), HasSubstr("[a] 65000 7 7 user /\n"));
  EXPECT_THAT(Say("echo $HOME", "user daemon\nenv HOME=/srv\n"), HasSubstr("[a] /srv\n"));
}

TEST_F(Surroundings, RootsSecretsServeOtherUsers) {
  if (geteuid() != 0) GTEST_SKIP() << "becoming another user needs root";
  const std::string file = Write("key", "hidden");
  chmod(file.c_str(), 0400);
  EXPECT_THAT(Say("echo $KEY; cat " + file + " 2>/dev/null || echo closed",
                  "user daemon\nsecret KEY " + file + "\n"),
              HasSubstr("[a] hidden\n[a] closed\n"));
}

TEST_F(Surroundings, AnUnknownUserIsAnErrorAtOnce) {
  EXPECT_THAT(Say("echo ran", "user nobody-of-that-name\n"),
              HasSubstr("a runs as a user that is unknown"));
  EXPECT_EQ(status_, 125);
}

TEST_F(Surroundings, AnotherUserTakesRoot) {
  InitSetup setup;
  if (geteuid() == 0) setup.uid = 65501;
  InitProcess init(TableOf(Script("a", "echo ran", "user root\n")), {}, {}, setup);
  EXPECT_EQ(init.WaitForExit(), 125);
  EXPECT_THAT(init.output(), HasSubstr("a runs as another user, which takes a container that "
                                       "starts as root"));
  EXPECT_THAT(init.output(), Not(HasSubstr("[a] ran")));
}

TEST_F(Surroundings, RunsInItsDirectory) {
  const std::string folder = std::filesystem::canonical(folder_.path()).string();
  EXPECT_THAT(Say("pwd -P", "dir " + folder + "\n"), HasSubstr("[a] " + folder + "\n"));
}

TEST_F(Surroundings, ADirectoryThatCannotBeEnteredIsAnError) {
  const std::string output = Say("echo ran", "dir " + Missing() + "\n");
  EXPECT_THAT(output, HasSubstr("cannot enter " + Missing() + ": No such file"));
  EXPECT_THAT(output, Not(HasSubstr("[a] ran")));
  EXPECT_EQ(status_, 126);
}

const char kSaysItsToken[] = "echo \"<$MY_TOKEN>\"; exec sleep 100";
const char kHasToken[] = "token MY_TOKEN\nannounce at http://x/{token}\n";

// What a service with a token, and whoever starts it, hear of it.
std::string Hear(const std::string& more, std::vector<std::string> env) {
  InitProcess init(TableOf(Script("a", kSaysItsToken, kHasToken + more)), {}, std::move(env));
  EXPECT_TRUE(init.WaitFor("at http://x/"));
  EXPECT_TRUE(init.WaitFor("[a] <"));
  init.Signal(SIGTERM);
  EXPECT_EQ(init.WaitForExit(), 0);
  return init.output();
}

TEST_F(Surroundings, ATokenOfTheServicesOwnIsNotReplaced) {
  const std::string secret = Write("secret", "own\n");
  const std::string lines = Write("lines", "A=B\nMY_TOKEN=own\n");
  for (const std::string& more :
       {std::string("env MY_TOKEN=own\n"), "secret MY_TOKEN " + secret + "\n",
        "env-file " + lines + "\n", "env-file -" + lines + "\n",
        "env MY_TOKEN_FILE=" + secret + "\n", "env MY_TOKEN=\nsecret MY_TOKEN " + secret + "\n"}) {
    const std::string output = Hear(more, {});
    EXPECT_THAT(output, HasSubstr("[a] <own>\n")) << more;
    EXPECT_THAT(output, HasSubstr("at http://x/\n")) << more;
  }
}

TEST_F(Surroundings, AnEmptyTokenIsNone) {
  const std::string empty = Write("empty", "\n");
  for (const std::string& more :
       {std::string("env MY_TOKEN=\n"), "secret MY_TOKEN " + empty + "\n"}) {
    EXPECT_THAT(Hear(more, {"MY_TOKEN="}), testing::ContainsRegex("\\[a\\] <[0-9a-f]{48}>"))
        << more;
  }
}

TEST_F(Surroundings, ATokensFileIsReadWithoutItsLastNewline) {
  const std::string file = Write("token", "from a file\n");
  const std::string output = Hear("", {"MY_TOKEN_FILE=" + file});
  EXPECT_THAT(output, HasSubstr("[a] <from a file>\n"));
  EXPECT_THAT(output, HasSubstr("at http://x/\n"));
  // The variable itself comes first.
  EXPECT_THAT(Hear("", {"MY_TOKEN_FILE=" + file, "MY_TOKEN=given"}), HasSubstr("[a] <given>\n"));
}

TEST_F(Surroundings, ATokensFileThatIsMissingOrEmptyIsAnError) {
  for (const std::string& file : {Missing(), Write("empty", "\n")}) {
    const std::string output = Say("echo ran", kHasToken, {"MY_TOKEN_FILE=" + file});
    EXPECT_THAT(output, HasSubstr("cannot read the token " + file)) << output;
    EXPECT_THAT(output, Not(HasSubstr("[a] ran")));
    EXPECT_EQ(status_, 126);
  }
}

}  // namespace
}  // namespace imgbuild::runtime
