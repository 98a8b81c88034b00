#include "builder/engine/host_folder.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "specs/base/error.h"
#include "tests/support/temp_folder.h"

namespace imgbuild::builder {
namespace {

class LabelForTest : public testing::Test {
 protected:
  FolderLabel In(const std::string& folder, char in_force = '1') {
    const auto file = place_.path() / "enforce";
    std::ofstream(file) << in_force;
    return LabelFor(folder, "/home/ann", file);
  }

  support::TempFolder place_;
};

TEST_F(LabelForTest, OnlyWhereSelinuxIsInForce) {
  EXPECT_EQ(In("/home/ann/project", '0'), FolderLabel::kNone);
  EXPECT_EQ(LabelFor("/home/ann/project", "/home/ann", place_.path() / "missing"),
            FolderLabel::kNone);
}

TEST_F(LabelForTest, AFolderOfItsOwnIsRelabelled) {
  for (const char* folder :
       {"/home/ann/project", "/home/ann/project/.hidden", "/home/bob/project", "/root/project",
        "/srv/data/project/", "/data/project", "/opt/x/y", "/tmp/x", "/library/x", "/var/tmp/x",
        "/var/home/ann/project", "/var/srv/x", "/var/www/x", "/var/roothome/project"}) {
    EXPECT_EQ(In(folder), FolderLabel::kRelabel) << folder;
  }
}

TEST_F(LabelForTest, HomesKeepTheirLabels) {
  for (const char* folder :
       {"/home/ann", "/home/ann/", "/home", "/", "/home/ann/x/..", "/home/bob", "/var/home/bob",
        "/var/home", "/root", "/var/roothome", "/home/ann/.ssh", "/home/bob/.config/x",
        "/root/.ssh", "/var/home/ann/.local/share"}) {
    EXPECT_EQ(In(folder), FolderLabel::kDisable) << folder;
  }
}

TEST_F(LabelForTest, AHomeMayLieAnywhere) {
  std::ofstream(place_.path() / "enforce") << '1';
  const auto label = [&](const char* folder) {
    return LabelFor(folder, "/data/homes/ann", place_.path() / "enforce");
  };
  for (const char* folder : {"/data/homes", "/data/homes/ann", "/data/homes/ann/.ssh/x"}) {
    EXPECT_EQ(label(folder), FolderLabel::kDisable) << folder;
  }
  EXPECT_EQ(label("/data/homes/ann/project"), FolderLabel::kRelabel);
}

TEST_F(LabelForTest, TheSystemsFoldersKeepTheirLabels) {
  for (const char* folder :
       {"/usr", "/etc", "/etc/nginx/conf.d", "/usr/share/x/y", "/boot/efi", "/run/user/1000",
        "/dev/shm/x", "/proc/self", "/sys/fs/cgroup", "/lib/modules/x", "/lib64/x", "/bin/x",
        "/sbin/x", "/var", "/var/lib/mysql", "/var/log/x/y", "/var/tmp", "/srv", "/opt"}) {
    EXPECT_EQ(In(folder), FolderLabel::kDisable) << folder;
  }
}

TEST(RequireMountable, AColonIsAnErrorThatSaysWhatToDo) {
  EXPECT_NO_THROW(RequireMountable("/data/my project"));
  try {
    RequireMountable("/data/12:30");
    ADD_FAILURE() << "no error";
  } catch (const specs::Error& error) {
    EXPECT_EQ(error.found(), "/data/12:30");
    EXPECT_THAT(error.hint(), testing::HasSubstr("rename the folder"));
  }
}

}  // namespace
}  // namespace imgbuild::builder
