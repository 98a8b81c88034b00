// What `imgbuild generate` knows of an image that was built.
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/temp_folder.h"
#include "tests/whole_build/world.h"

namespace imgbuild::whole_build {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr char kSpecOfNobody[] = R"(format = 1
[image]
name = "named"
user = "nobody"
platforms = ["linux/amd64"]
[system]
keyring = "archive.gpg"
[python]
version = "3.11"
packages = ["pip"]
compile = "none"
[services.web]
command = ["/bin/bash"]
)";

class GeneratedFiles : public testing::Test {
 protected:
  GeneratedFiles() {
    std::ofstream(folder_.path() / "archive.gpg", std::ios::binary) << world_.public_key();
    std::ofstream(folder_.path() / "named.toml") << kSpecOfNobody;
  }
  std::string Succeed(const std::vector<std::string>& arguments) {
    const Ended ended = Execute(world_, {.folder = folder_.path(),
                                         .cache = folder_.path() / "cache",
                                         .arguments = arguments,
                                         .environment = {}});
    EXPECT_EQ(ended.status, 0) << ended.output;
    return ended.output;
  }

  World world_{Contents::kSmall};
  support::TempFolder folder_;
};

TEST_F(GeneratedFiles, HaveTheNumberOfANamedUser) {
  const std::vector<std::string> generate = {"generate", "kubernetes", "named.toml"};
  EXPECT_THAT(Succeed(generate), AllOf(HasSubstr("user nobody is known once the image is built"),
                                       HasSubstr("fsGroup: 0"), Not(HasSubstr("runAsUser:"))));
  Succeed({"build", "named.toml", "--plain"});
  EXPECT_THAT(Succeed(generate), AllOf(HasSubstr("runAsUser: 65534\n"), HasSubstr("fsGroup: 0\n"),
                                       HasSubstr("runAsNonRoot: true\n"), Not(HasSubstr("known"))));
}

}  // namespace
}  // namespace imgbuild::whole_build
