// Environment, secrets, users and limits of services.
#include <filesystem>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
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

}  // namespace
}  // namespace imgbuild::runtime
