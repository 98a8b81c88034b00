// Builds on an image that somebody else made, in the small world: the base is a docker-archive of
// two layers with what the program looks for in it.
#include <filesystem>
#include <fstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "layers/io/file.h"
#include "specs/base/digest.h"
#include "tests/layers/image/tar_maker.h"
#include "tests/support/temp_folder.h"
#include "tests/whole_build/layout_reader.h"
#include "tests/whole_build/world.h"

namespace imgbuild::whole_build {
namespace {

namespace fs = std::filesystem;
using layers::TarMaker;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr char kSpecOnBase[] = R"(format = 1
[image]
name = "on-base"
platforms = ["linux/amd64"]
[system]
image = "docker-archive:base.tar"
keyring = "archive.gpg"
[python]
version = "{}"
packages = ["pip"]
compile = "none"
)";

class BaseImageBuild : public testing::Test {
 protected:
  BaseImageBuild() {
    Write("archive.gpg", world_.public_key());
    WriteSpec("3.11");
    WriteBase("3.11.9");
  }

  void Write(const std::string& name, const std::string& text) {
    std::ofstream(folder_.path() / name, std::ios::binary) << text;
  }
  void WriteSpec(const std::string& python) {
    Write("on-base.toml", fmt::format(fmt::runtime(kSpecOnBase), python));
  }

  // With a Python whose library says that version.
  void WriteBase(const std::string& python) {
    const std::string minor = python.substr(0, python.rfind('.'));
    const std::string first =
        TarMaker()
            .Directory("etc")
            .File("etc/passwd", "root:x:0:0:root:/root:/bin/bash\n")
            .File("etc/motd", "removed above")
            .File("usr/lib/libc.so.6", "GNU C Library stable release version 2.36.\n")
            .Directory("usr/local")
            .Directory("usr/local/bin")
            .File("usr/local/bin/python" + minor, "calls its library")
            .File("usr/local/lib/libpython" + minor + ".so.1.0",
                  std::string(1, '\0') + python + std::string(1, '\0'))
            .File("bin/bash", "")
            .Bytes();
    const std::string second = TarMaker().File("etc/.wh.motd", "").Bytes();
    diff_ids_ = {specs::HashOf(first), specs::HashOf(second)};
    const std::string config = fmt::format(
        R"({{"os":"linux","architecture":"amd64","created":"2020-02-03T04:05:06Z",)"
        R"("config":{{"Env":["PATH=/usr/local/bin:/bin","KEPT=yes"],"Labels":{{"a":"b"}}}},)"
        R"("rootfs":{{"type":"layers","diff_ids":["{}","{}"]}}}})",
        diff_ids_[0].Oci(), diff_ids_[1].Oci());
    TarMaker()
        .File("config.json", config)
        .File("1.tar", first)
        .File("2.tar", second)
        .File("manifest.json",
              R"([{"Config":"config.json","RepoTags":["base:1"],"Layers":["1.tar","2.tar"]}])")
        .WriteTo(folder_.path() / "base.tar");
  }

  Ended Run(std::vector<std::string> arguments) {
    return Execute(world_, {.folder = folder_.path(),
                            .cache = folder_.path() / "cache",
                            .arguments = std::move(arguments)});
  }
  std::string Succeed(std::vector<std::string> arguments) {
    const Ended ended = Run(std::move(arguments));
    EXPECT_EQ(ended.status, 0) << ended.output;
    return ended.output;
  }
  std::string Lock() { return layers::ReadFile(folder_.path() / "on-base.lock"); }

  World world_;
  support::TempFolder folder_;
  std::vector<specs::Sha256> diff_ids_;
};

TEST_F(BaseImageBuild, LaysOurLayersOverTheBases) {
  EXPECT_THAT(Succeed({"build", "on-base.toml", "--plain", "--check"}),
              AllOf(HasSubstr("base image"), HasSubstr("gives the same image")));
  const ReadImage image = ReadLayout(folder_.path() / "on-base.oci");
  ASSERT_EQ(image.platforms.size(), 1u);
  const ReadPlatform& platform = image.platforms[0];
  ASSERT_GT(platform.config.diff_ids.size(), 3u);
  EXPECT_EQ(platform.config.diff_ids[0], diff_ids_[0]);
  EXPECT_EQ(platform.config.diff_ids[1], diff_ids_[1]);
  EXPECT_EQ(platform.manifest.layers[0].digest, diff_ids_[0]);  // plain, as it was
  EXPECT_EQ(platform.config.labels.at("a"), "b");
  EXPECT_THAT(platform.config.env,
              testing::IsSupersetOf({std::pair<std::string, std::string>("KEPT", "yes"),
                                     {"PATH", "/opt/venv/bin:/usr/local/bin:/bin"}}));

  const std::string text = image.files.at("blobs/sha256/" + platform.manifest.config.digest.Hex());
  EXPECT_THAT(text, HasSubstr("imgbuild"));
  std::map<std::string, Entry> ours;  // of the layers above the base
  for (std::size_t i = 2; i < platform.layers.size(); ++i) {
    for (const Entry& entry : platform.layers[i].entries) ours[entry.head.path] = entry;
  }
  const auto at = [&](const std::string& path) -> const Entry& {
    for (const auto& [name, entry] : ours) {
      if (name == path || name == path + "/" || name == "./" + path) return entry;
    }
    throw std::runtime_error("no " + path);
  };
  EXPECT_EQ(at("opt/venv/bin/python3").head.target, "/usr/local/bin/python3.11");
  EXPECT_THAT(at("opt/venv/pyvenv.cfg").content,
              AllOf(HasSubstr("home = /usr/local/bin\n"), HasSubstr("version = 3.11.9\n")));
  EXPECT_EQ(at("etc/passwd").content,
            "root:x:0:0:root:/root:/bin/bash\nuser:*:1000:0::/home/user:/bin/bash\n");
  EXPECT_THAT(at("etc/imgbuild/lock").content, HasSubstr("python-version = \"3.11.9\""));
  EXPECT_FALSE(ours.contains("etc/ld.so.cache"));
}

TEST_F(BaseImageBuild, IsDoneOnceAndNeedsNoNetworkAgain) {
  Succeed({"build", "on-base.toml", "--plain"});
  world_.Restart();
  EXPECT_THAT(Succeed({"build", "on-base.toml", "--plain", "--offline", "--locked"}),
              HasSubstr("(unchanged)"));
  EXPECT_EQ(world_.requests(), 0u);
}

TEST_F(BaseImageBuild, StaysAtTheLockedImage) {
  Succeed({"lock", "on-base.toml"});
  const std::string lock = Lock();
  WriteBase("3.11.10");
  const Ended refused = Run({"build", "on-base.toml", "--plain"});
  EXPECT_EQ(refused.status, 4);
  EXPECT_THAT(refused.output, AllOf(HasSubstr("is not the image that is locked"),
                                    HasSubstr("lock --upgrade system.image")));
  EXPECT_EQ(Run({"lock", "on-base.toml"}).status, 4);
  EXPECT_EQ(Lock(), lock);
  Succeed({"lock", "on-base.toml", "--upgrade", "system.image"});
  EXPECT_THAT(Lock(), HasSubstr("python-version = \"3.11.10\""));
  Succeed({"build", "on-base.toml", "--plain", "--locked"});
}

TEST_F(BaseImageBuild, CompilesNothingForAPythonOfNoSuite) {
  WriteSpec("3.12");
  WriteBase("3.12.7");
  Write("on-base.local.toml", "[python]\ncompile = \"all\"\n");
  EXPECT_THAT(Succeed({"build", "on-base.toml", "--plain"}), HasSubstr("has Python 3.12"));
  EXPECT_THAT(Lock(), AllOf(HasSubstr("python-version = \"3.12.7\""), Not(HasSubstr("compiler"))));
}

TEST_F(BaseImageBuild, SaysWhatTheBaseLacks) {
  WriteBase("3.12.7");
  Ended ended = Run({"build", "on-base.toml"});
  EXPECT_NE(ended.status, 0);
  EXPECT_THAT(ended.output, AllOf(HasSubstr("no Python 3.11"), HasSubstr("version = \"3.12\""),
                                  Not(HasSubstr("terminate"))));
  fs::remove(folder_.path() / "base.tar");
  ended = Run({"build", "on-base.toml"});
  EXPECT_NE(ended.status, 0);
  EXPECT_THAT(ended.output, HasSubstr("base.tar"));
  EXPECT_FALSE(fs::exists(folder_.path() / "on-base.lock"));
  EXPECT_FALSE(fs::exists(folder_.path() / "on-base.oci"));
}

}  // namespace
}  // namespace imgbuild::whole_build
