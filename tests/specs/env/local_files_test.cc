// Files of the machine that a spec names.
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/specs/env/fake_files.h"

namespace imgbuild::specs {
namespace {

using testing::ElementsAre;
using testing::Pair;

constexpr char kSpec[] = R"([system]
certificates = ["a.crt", "b.crt"]
[python]
packages = ["rich", "./w/x-1-py3-none-any.whl"]
requirements = "r.txt"
[[files]]
from = "app"
to = "/srv/app"
[[files]]
from = "../shared"
to = "srv"
)";

FakeFiles Project() {
  FakeFiles fake;
  fake.files["e/spec.toml"] = kSpec;
  fake.files["e/r.txt"] = "rich\n./y-1-py3-none-any.whl\n";
  return fake;
}

CheckLocal HavingOnly(std::set<std::string> there) {
  return [there = std::move(there)](const std::string& path, LocalKind) {
    return there.contains(path) ? "" : "no " + path;
  };
}

TEST(LocalFiles, ThatAreMissingAreToldWithTheirPlacesAndAllElse) {
  FakeFiles fake = Project();
  fake.check_local = HavingOnly({"e/a.crt", "e/app"});
  EXPECT_EQ(fake.Complaint("e/spec.toml"),
            "e/r.txt:2:1: no e/y-1-py3-none-any.whl\n"
            "e/spec.toml:2:26: no e/b.crt\n"
            "e/spec.toml:4:21: no e/w/x-1-py3-none-any.whl\n"
            "e/spec.toml:10:1: no shared\n"
            "e/spec.toml:11:1: files[1].to is \"srv\", expected an absolute path in the image");
}

TEST(LocalFiles, AreFilesButForThoseThatMayBeFolders) {
  FakeFiles fake = Project();
  std::map<std::string, LocalKind> asked;
  fake.check_local = [&](const std::string& path, LocalKind kind) {
    asked[path] = kind;
    return "";
  };
  (void)fake.Complaint("e/spec.toml");
  EXPECT_THAT(
      asked, ElementsAre(Pair("e/a.crt", LocalKind::kFile), Pair("e/app", LocalKind::kFileOrFolder),
                         Pair("e/b.crt", LocalKind::kFile),
                         Pair("e/w/x-1-py3-none-any.whl", LocalKind::kFile),
                         Pair("e/y-1-py3-none-any.whl", LocalKind::kFile),
                         Pair("shared", LocalKind::kFileOrFolder)));
}

TEST(LocalFiles, StandWhereTheOverlayOrTheSpecBelowNamesThem) {
  FakeFiles fake;
  fake.files["envs/nb.toml"] = "extends = \"../base.toml\"\n";
  fake.files["base.toml"] =
      "[[files]]\nfrom = \"app\"\nto = \"/a\"\n[system]\ncertificates = \"corp.crt\"\n";
  fake.check_local = HavingOnly({});
  EXPECT_EQ(fake.Complaint("envs/nb.toml"), "base.toml:2:1: no app\nbase.toml:5:1: no corp.crt");
  fake.files["envs/nb.local.toml"] = "[[files]]\nfrom = \"mine\"\nto = \"/a\"\n";
  EXPECT_EQ(fake.Complaint("envs/nb.toml"),
            "base.toml:5:1: no corp.crt\nenvs/nb.local.toml:2:1: no envs/mine");
}

TEST(LocalFiles, MayBeMissingWhereNobodyReadsThem) {
  FakeFiles fake = Project();
  EXPECT_EQ(fake.Complaint("e/spec.toml"),
            "e/spec.toml:11:1: files[1].to is \"srv\", expected an absolute path in the image");
}

}  // namespace
}  // namespace imgbuild::specs
