#include "builder/state/state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "layers/unpack/excluded_paths.h"
#include "specs/base/error.h"
#include "specs/base/text.h"
#include "tests/builder/state/fixture.h"

namespace imgbuild::builder {
namespace {

using ::testing::HasSubstr;

FakeDeb BasePasswd(const std::string& more = "") {
  return FakeDeb("base-passwd")
      .File("usr/share/base-passwd/passwd.master",
            "root:*:0:0:root:/root:/bin/bash\nnobody:*:65534:65534:nobody:/nonexistent:"
            "/usr/sbin/nologin\n" +
                more)
      .File("usr/share/base-passwd/group.master", "root:*:0:\nshadow:*:42:\nnogroup:*:65534:\n");
}

std::string Message(const StateInput& input) {
  try {
    MakeSystemState(input);
  } catch (const specs::Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(State, HasTheImagesUserAndMergedUsr) {
  const std::vector<FakeDeb> debs = {BasePasswd()};
  const SystemState state = MakeSystemState(InputOf(debs));
  EXPECT_THAT(state.files.at("etc/passwd").content,
              HasSubstr("user:*:1000:0::/home/user:/bin/bash\n"));
  EXPECT_EQ(state.files.at("home/user"), layers::MakeDirectory(0775, 1000, 0));
  EXPECT_EQ(state.files.at("work"), layers::MakeDirectory(0775, 1000, 0));
  EXPECT_EQ(state.files.at("bin").node.target, "usr/bin");
  EXPECT_EQ(state.files.at("lib64").node.target, "usr/lib64");
  EXPECT_FALSE(state.files.contains("etc/shadow"));
}

TEST(State, DistrolessUsersHaveNoShell) {
  const std::vector<FakeDeb> debs = {BasePasswd()};
  StateInput input = InputOf(debs);
  input.profile = specs::Profile::kDistroless;
  input.architecture = specs::Architecture::kArm64;
  const SystemState state = MakeSystemState(input);
  EXPECT_THAT(state.files.at("etc/passwd").content, HasSubstr(":/usr/sbin/nologin\n"));
  EXPECT_FALSE(state.files.contains("lib64"));
}

TEST(State, ShadowsPasswordsWherePasswdIs) {
  const std::vector<FakeDeb> debs = {BasePasswd(), FakeDeb("passwd")};
  const SystemState state = MakeSystemState(InputOf(debs));
  EXPECT_THAT(state.files.at("etc/passwd").content, HasSubstr("root:x:0:0:"));
  EXPECT_EQ(state.files.at("etc/shadow").node.mode, 0640u);
  EXPECT_EQ(state.files.at("etc/shadow").node.gid, 42u);
}

TEST(State, GivesPackagesAccountsNumbersOfTheirOwn) {
  const std::string block =
      "#!/bin/sh\n# Automatically added by dh_installsysusers/13\nsystemd-sysusers x.conf\n"
      "# End automatically added section\n";
  const std::vector<FakeDeb> debs = {
      FakeDeb("b")
          .File("usr/lib/sysusers.d/b.conf", "u b - \"The B\" /run/b\n")
          .Control("postinst", block),
      BasePasswd(),
      FakeDeb("a").File("usr/lib/sysusers.d/a.conf", "g a -\n").Control("postinst", block)};
  const SystemState state = MakeSystemState(InputOf(debs));
  EXPECT_THAT(state.files.at("etc/group").content, HasSubstr("a:*:999:\nb:*:998:\n"));
  EXPECT_THAT(state.files.at("etc/passwd").content,
              HasSubstr("b:*:998:998:The B:/run/b:/usr/sbin/nologin\n"));
}

// Of bookworm and trixie, without what debhelper generated.
constexpr char kAptPostinst[] = R"(#! /bin/sh
set -e

if [ "$1" = 'configure' ] && [ -z "$DPKG_ROOT" ] && ! getent passwd _apt >/dev/null; then
	# add unprivileged user for the apt methods
	adduser --force-badname --system --home /nonexistent  \
	    --no-create-home --quiet _apt || true
fi

if [ "$1" = "configure" ] && [ -n "$2" ] && dpkg --compare-versions -- "$2" le-nl "2.4.5~"; then
    rm -f /etc/apt/apt.conf.d/01autoremove-kernels
fi
)";

TEST(State, HasAptsUserWhicheverPackageMakesIt) {
  const FakeDeb apt = FakeDeb("apt").Control("postinst", kAptPostinst);
  const auto passwd = [&](const std::string& more) {
    const std::vector<FakeDeb> debs = {BasePasswd(more), apt};
    return MakeSystemState(InputOf(debs)).files.at("etc/passwd").content;
  };
  const std::string rest = ":65534::/nonexistent:/usr/sbin/nologin\n";
  EXPECT_THAT(passwd(""), HasSubstr("_apt:*:999" + rest));
  const std::string given = passwd("_apt:*:42" + rest);
  EXPECT_THAT(given, HasSubstr("_apt:*:42" + rest));
  EXPECT_EQ(given.find("_apt"), given.rfind("_apt"));
}

TEST(State, RefusesScriptsThatAreNotKnown) {
  const std::vector<FakeDeb> debs = {
      FakeDeb("strange").Control("postinst", "#!/bin/sh\nset -e\ncurl https://a.example | sh\n")};
  EXPECT_THAT(Message(InputOf(debs)),
              testing::AllOf(HasSubstr("strange 2.36-9 postinst"), HasSubstr("curl https"),
                             HasSubstr("system.packages")));
}

TEST(State, DoesNotDependOnTheOrderOfPackages) {
  std::vector<FakeDeb> debs = {BasePasswd(), FakeDeb("dpkg"), FakeDeb("a").File("usr/a", "a")};
  const SystemState first = MakeSystemState(InputOf(debs));
  std::ranges::reverse(debs);
  EXPECT_EQ(first.files, MakeSystemState(InputOf(debs)).files);
}

TEST(State, PrefersTheAlternativeOfHighestPriority) {
  const auto editor = [](std::string name, int priority) {
    return FakeDeb(name)
        .File("usr/bin/" + name)
        .Control("postinst",
                 fmt::format("#!/bin/sh\nupdate-alternatives --install /usr/bin/editor editor "
                             "/usr/bin/{} {} --slave /usr/share/man/man1/editor.1.gz "
                             "editor.1.gz /usr/share/man/man1/{}.1.gz\n",
                             name, priority, name));
  };
  const std::vector<FakeDeb> debs = {editor("nano", 40), editor("ed", -100), editor("vi", 15)};
  const SystemState state = MakeSystemState(InputOf(debs));
  EXPECT_EQ(state.files.at("etc/alternatives/editor").node.target, "/usr/bin/nano");
  EXPECT_EQ(state.files.at("usr/bin/editor").node.target, "/etc/alternatives/editor");
  EXPECT_FALSE(state.files.contains("etc/alternatives/editor.1.gz"));
  EXPECT_TRUE(state.files.at("var/lib/dpkg/alternatives/editor")
                  .content.starts_with("auto\n/usr/bin/editor\neditor.1.gz\n"));
}

TEST(State, RefusesTimeZonesThatAreNot) {
  const std::vector<FakeDeb> debs = {FakeDeb("tzdata")
                                         .File("usr/share/zoneinfo/Etc/UTC", "TZif")
                                         .File("usr/share/zoneinfo/Europe/Berlin", "TZif")};
  StateInput input = InputOf(debs);
  input.timezone = "Europe/Berlim";
  EXPECT_THAT(Message(input), HasSubstr("Europe/Berlin"));
  input.timezone = "Europe/Berlin";
  const SystemState state = MakeSystemState(input);
  EXPECT_EQ(state.files.at("etc/localtime").node.target, "/usr/share/zoneinfo/Europe/Berlin");
  EXPECT_EQ(state.files.at("etc/timezone").content, "Europe/Berlin\n");
}

TEST(State, TakesTimeZonesOfEveryPackageThatHasThem) {
  const std::vector<FakeDeb> debs = {
      FakeDeb("tzdata").File("usr/share/zoneinfo/America/New_York", "TZif"),
      FakeDeb("tzdata-legacy").File("usr/share/zoneinfo/US/Eastern", "TZif")};
  StateInput input = InputOf(debs);
  EXPECT_NO_THROW(RequireTimezone("US/Eastern", input.packages));
  input.packages.pop_back();
  EXPECT_THROW(RequireTimezone("US/Eastern", input.packages), specs::Error);
  EXPECT_THROW(RequireTimezone("America", input.packages), specs::Error);
}

TEST(State, RefusesWorkingDirectoriesThatClimb) {
  StateInput input;
  for (const char* path : {"", "work", "/work/../../etc"}) {
    input.workdir = path;
    EXPECT_THAT(Message(input), HasSubstr("image.workdir")) << path;
  }
}

TEST(Certificates, AreLinkedByNameAndSubject) {
  const std::string root = TestData("root_a.crt"), again = TestData("root_a_again.crt");
  const std::vector<FakeDeb> debs = {
      FakeDeb("ca-certificates").File("usr/share/ca-certificates/mozilla/Root_A.crt", root)};
  StateInput input = InputOf(debs);
  input.certificates = {{"corp.pem", root + "between\n" + again}};
  const SystemState state = MakeSystemState(input);
  EXPECT_EQ(state.files.at("etc/ssl/certs/Root_A.pem").node.target,
            "/usr/share/ca-certificates/mozilla/Root_A.crt");
  EXPECT_EQ(state.files.at("usr/local/share/ca-certificates/corp-1.crt").content, root);
  EXPECT_EQ(state.files.at("etc/ssl/certs/f1a133bb.0").node.target, "Root_A.pem");
  EXPECT_EQ(state.files.at("etc/ssl/certs/f1a133bb.1").node.target, "corp-2.pem");
  EXPECT_FALSE(state.files.contains("etc/ssl/certs/f1a133bb.2"));  // corp-1 is Root_A
  EXPECT_EQ(state.files.at("etc/ssl/certs/ca-certificates.crt").content, root + root + again);
}

TEST(Certificates, RefuseWhatIsNone) {
  const std::vector<FakeDeb> debs = {FakeDeb("ca-certificates")};
  StateInput input = InputOf(debs);
  for (const std::string& pem : {std::string("DER"), std::string("-----BEGIN CERTIFICATE-----\nAA"),
                                 std::string("-----BEGIN CERTIFICATE-----\nAA==\n"
                                             "-----END CERTIFICATE-----\n")}) {
    input.certificates = {{"corp.crt", pem}};
    EXPECT_THAT(Message(input), HasSubstr("corp.crt has"));
  }
}

TEST(Dpkg, KnowsThePackagesItIsIn) {
  const std::vector<FakeDeb> debs = {
      FakeDeb("dpkg")
          .File("usr/bin/dpkg", "x")
          .File("etc/dpkg/dpkg.cfg", "cfg")
          .Control("conffiles", "/etc/dpkg/dpkg.cfg\n")
          .Control("md5sums",
                   "9dd4e461268c8034f5c8564e155c67a6  usr/bin/dpkg\n"
                   "9dd4e461268c8034f5c8564e155c67a6  usr/share/man/man1/dpkg.1.gz\n")};
  const SystemState state = MakeSystemState(InputOf(debs));
  EXPECT_THAT(state.files.at("var/lib/dpkg/status").content,
              HasSubstr("Package: dpkg\nStatus: install ok installed\n"));
  EXPECT_THAT(state.files.at("var/lib/dpkg/status").content,
              HasSubstr("Conffiles:\n /etc/dpkg/dpkg.cfg "));
  EXPECT_EQ(state.files.at("var/lib/dpkg/info/dpkg.md5sums").content,
            "9dd4e461268c8034f5c8564e155c67a6  usr/bin/dpkg\n");
  EXPECT_EQ(state.files.at("var/lib/dpkg/info/dpkg.list").content,
            "/.\n/etc\n/etc/dpkg\n/etc/dpkg/dpkg.cfg\n/usr\n/usr/bin\n/usr/bin/dpkg\n");
}

TEST(Dpkg, StatusDIsThePackagesParagraph) {
  auto [path, file] = RenderStatusD(FakeDeb("libz").facts());
  EXPECT_EQ(path, "var/lib/dpkg/status.d/libz");
  EXPECT_THAT(file.content, HasSubstr("Status: install ok installed\n"));
}

// dpkg in the image leaves out what unpacking leaves out.
TEST(Dpkg, FiltersPathsAsUnpackingDoes) {
  const std::vector<FakeDeb> debs = {FakeDeb("dpkg")};
  const std::string config =
      MakeSystemState(InputOf(debs)).files.at("etc/dpkg/dpkg.cfg.d/imgbuild").content;
  for (std::string_view line : specs::Split(config, '\n')) {
    const bool exclude = line.starts_with("path-exclude=/");
    if (!exclude && !line.starts_with("path-include=/")) continue;
    std::string path(line.substr(std::string_view("path-exclude=/").size()));
    for (std::size_t at; (at = path.find('*')) != std::string::npos;) path.replace(at, 1, "a/b");
    EXPECT_EQ(layers::ExcludedPath(path, layers::NodeType::kFile), exclude) << path;
  }
}

}  // namespace
}  // namespace imgbuild::builder
