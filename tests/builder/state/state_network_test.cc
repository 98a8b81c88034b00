// The system state of the real closures: every script of both profiles and of packages that users
// add is understood, on both suites and machines.
#include <ctime>
#include <fstream>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "builder/debian/profiles.h"
#include "builder/debian/repository.h"
#include "builder/debian/solve.h"
#include "builder/net/curl_client.h"
#include "builder/state/state.h"
#include "layers/unpack/deb.h"
#include "specs/base/error.h"
#include "tests/support/quiet_progress.h"
#include "tests/support/temp_folder.h"

namespace imgbuild::builder {
namespace {

using ::testing::HasSubstr;

// Kept between the tests: the closures share most of their packages.
class Archive {
 public:
  Archive() {
    Environment environment = Environment::OfProcess();
    options_.mirrors =
        FindDebianMirrors(environment, std::nullopt, {}, ReadHostSources(environment));
    HttpRequest request;
    request.url = options_.mirrors.archive.url + "/dists/bookworm/InRelease";
    client_.Fetch(request);
    options_.keyring = HostDebianKeyring();
    options_.cache = folder_.path();
    options_.now = std::time(nullptr);
  }

  std::vector<layers::PackageFacts> Facts(specs::Suite suite, specs::Architecture architecture,
                                          std::vector<std::string> roots,
                                          const ProfilePackages& profile) {
    Repository repository(suite, options_, client_, progress_);
    const PackageIndex index = repository.Load(architecture);
    const std::vector<std::string> essential = PackagesForApt(index, roots);
    roots.insert(roots.end(), profile.roots.begin(), profile.roots.end());
    roots.insert(roots.end(), essential.begin(), essential.end());
    DebianSolveOptions solve;
    solve.assumed = profile.assumed;
    std::vector<layers::PackageFacts> facts;
    for (const ClosurePackage& chosen : SolveDebian(index, roots, solve).packages) {
      layers::DebOptions deb;
      deb.sha256 = chosen.package.sha256();
      deb.suite = suite;
      facts.push_back(layers::ReadDebFacts(Fetch(chosen.package), deb));
    }
    return facts;
  }

 private:
  std::filesystem::path Fetch(const Package& package) {
    const std::filesystem::path path = folder_.path() / (package.sha256().Hex() + ".deb");
    if (std::filesystem::exists(path)) return path;
    const bool security = package.source().find("-security/") != std::string_view::npos;
    HttpRequest request;
    request.url = fmt::format(
        "{}/{}", security ? options_.mirrors.security.url : options_.mirrors.archive.url,
        package.filename());
    std::ofstream(path, std::ios::binary) << client_.Fetch(request).body;
    return path;
  }

  support::TempFolder folder_;
  CurlClient client_{CurlOptions{.user_agent = "imgbuild-test"}};
  support::QuietProgress progress_;
  RepositoryOptions options_;
};

struct Case {
  specs::Suite suite;
  specs::Profile profile;
  specs::Architecture architecture;
};

class RealClosures : public ::testing::TestWithParam<Case> {
 protected:
  static void SetUpTestSuite() {
    try {
      archive_ = std::make_unique<Archive>();
    } catch (const specs::Error& error) {
      why_ = error.what();
    }
  }
  static void TearDownTestSuite() { archive_.reset(); }

  SystemState StateWith(const std::vector<std::string>& packages) {
    const Case& one = GetParam();
    facts_ =
        archive_->Facts(one.suite, one.architecture, packages, PackagesOf(one.suite, one.profile));
    StateInput input;
    input.suite = one.suite;
    input.profile = one.profile;
    input.architecture = one.architecture;
    for (const layers::PackageFacts& facts : facts_) input.packages.push_back(&facts);
    return MakeSystemState(input);
  }

  static inline std::unique_ptr<Archive> archive_;
  static inline std::string why_;
  std::vector<layers::PackageFacts> facts_;
};

class SlimClosures : public RealClosures {};

TEST_P(RealClosures, OfTheProfileAreUnderstoodWithoutWarnings) {
  if (!archive_) GTEST_SKIP() << "THE DEBIAN ARCHIVE CANNOT BE REACHED: " << why_;
  const SystemState state = StateWith({});
  EXPECT_THAT(state.warnings, testing::IsEmpty());
  for (const char* path : {"etc/passwd", "etc/group", "etc/nsswitch.conf", "etc/ld.so.cache",
                           "etc/localtime", "etc/ssl/certs/ca-certificates.crt", "etc/hosts"}) {
    EXPECT_TRUE(state.files.contains(path)) << path;
  }
  const bool slim = GetParam().profile == specs::Profile::kSlim;
  EXPECT_EQ(state.files.contains("var/lib/dpkg/status"), slim);
  EXPECT_THAT(state.files.at("etc/ld.so.cache").content, HasSubstr("libstdc++.so.6"));
}

TEST_P(SlimClosures, OfPackagesThatUsersAddAreUnderstood) {
  if (!archive_) GTEST_SKIP() << "THE DEBIAN ARCHIVE CANNOT BE REACHED: " << why_;
  const bool bookworm = GetParam().suite == specs::Suite::kBookworm;
  const SystemState state = StateWith({"git",
                                       "curl",
                                       "wget",
                                       "less",
                                       "nano",
                                       "vim-tiny",
                                       "procps",
                                       "openssh-client",
                                       "build-essential",
                                       "gcc",
                                       "g++",
                                       "make",
                                       "libgl1",
                                       bookworm ? "libglib2.0-0" : "libglib2.0-0t64",
                                       "libgomp1",
                                       "ffmpeg",
                                       "libpq5",
                                       "postgresql-client",
                                       "nodejs",
                                       "sudo",
                                       "locales",
                                       "tini",
                                       "jq",
                                       "tmux",
                                       "htop",
                                       "rsync",
                                       "unzip",
                                       "graphviz",
                                       "libopenblas0",
                                       "liblapack3",
                                       "fonts-dejavu-core",
                                       "fontconfig",
                                       "r-base-core"});
  EXPECT_EQ(state.files.at("etc/alternatives/editor").node.target, "/bin/nano");
  EXPECT_EQ(state.files.at("etc/alternatives/cc").node.target, "/usr/bin/gcc");
  EXPECT_THAT(state.files.at("etc/ld.so.cache").content, HasSubstr("libblas.so.3"));
  EXPECT_TRUE(state.files.contains("etc/R/Renviron"));
}

TEST_P(SlimClosures, OfAptAreUnderstoodWithoutWarnings) {
  if (!archive_) GTEST_SKIP() << "THE DEBIAN ARCHIVE CANNOT BE REACHED: " << why_;
  const SystemState state = StateWith({"apt"});
  EXPECT_THAT(state.warnings, testing::IsEmpty());
  EXPECT_THAT(state.files.at("etc/passwd").content,
              testing::ContainsRegex("_apt:[x*]:42:65534::/nonexistent:/usr/sbin/nologin\n"));
  EXPECT_TRUE(state.files.contains("var/lib/dpkg/info/perl-base.list"));
}

std::vector<Case> CasesOf(const std::vector<specs::Profile>& profiles) {
  std::vector<Case> cases;
  for (auto suite : {specs::Suite::kBookworm, specs::Suite::kTrixie}) {
    for (auto profile : profiles) {
      for (auto machine : {specs::Architecture::kAmd64, specs::Architecture::kArm64}) {
        cases.push_back({suite, profile, machine});
      }
    }
  }
  return cases;
}

std::string NameOf(const ::testing::TestParamInfo<Case>& one) {
  return fmt::format("{}_{}_{}", specs::SuiteName(one.param.suite),
                     specs::ProfileName(one.param.profile),
                     specs::ArchitectureName(one.param.architecture));
}

INSTANTIATE_TEST_SUITE_P(
    All, RealClosures,
    ::testing::ValuesIn(CasesOf({specs::Profile::kSlim, specs::Profile::kDistroless})), NameOf);
INSTANTIATE_TEST_SUITE_P(All, SlimClosures, ::testing::ValuesIn(CasesOf({specs::Profile::kSlim})),
                         NameOf);

}  // namespace
}  // namespace imgbuild::builder
