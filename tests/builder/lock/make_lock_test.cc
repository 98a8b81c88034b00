#include "builder/lock/make_lock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "builder/debian/release_file.h"
#include "builder/pypi/index_client.h"
#include "layers/io/atomic_file.h"
#include "specs/base/error.h"
#include "specs/env/cuda.h"
#include "tests/support/mini_archive.h"
#include "tests/support/mini_index.h"
#include "tests/support/quiet_progress.h"
#include "tests/support/temp_folder.h"

namespace imgbuild::builder {
namespace {

using specs::Architecture;
using specs::LockedPackage;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::IsSupersetOf;
using testing::Not;

constexpr std::string_view kMirror = "https://mirror.example/";

// The Debian mirror and the Python index behind one client.
class TwoHosts : public HttpClient {
 public:
  TwoHosts(HttpClient& mirror, HttpClient& index) : mirror_(mirror), index_(index) {}
  void Start(HttpRequest request, std::function<void(HttpResult)> done) override {
    HttpClient& host = request.url.starts_with(kMirror) ? mirror_ : index_;
    host.Start(std::move(request), std::move(done));
  }

 private:
  HttpClient& mirror_;
  HttpClient& index_;
};

support::MiniDeb Deb(std::string name, std::string depends = "", std::string architecture = "all") {
  support::MiniDeb deb{.name = std::move(name), .architecture = std::move(architecture)};
  if (!depends.empty()) deb.fields["Depends"] = std::move(depends);
  return deb;
}

class MakeLockTest : public testing::Test {
 protected:
  MakeLockTest() {
    main_.codename = "bookworm";
    for (const char* name : {"base-files",
                             "base-passwd",
                             "ca-certificates",
                             "libc-bin",
                             "libgcc-s1",
                             "libstdc++6",
                             "media-types",
                             "netbase",
                             "tzdata",
                             "python3-distutils",
                             "bash",
                             "coreutils",
                             "dash",
                             "diffutils",
                             "grep",
                             "ncurses-base",
                             "sed",
                             "usr-is-merged",
                             "zlib1g",
                             "libc6-dev",
                             "binutils"}) {
      main_.packages.push_back(Deb(name));
    }
    main_.packages.push_back(Deb("python3", "python3.11-minimal, zlib1g"));
    main_.packages.push_back({.name = "python3.11-minimal", .version = "3.11.2-6"});
    main_.packages.push_back(Deb("g++", "g++-12"));
    main_.packages.push_back(Deb("g++-12", "libstdc++6, libc6-dev, binutils, zlib1g"));
    index_.AddWheel("numpy", "2.1.0");
    index_.AddWheel("framework", "2.0", {.requires_dist = {"cuda-toolkit[cublas]>=13.0", "numpy"}});
    index_.AddWheel("cuda-toolkit", "13.0.2", Kit("13.0"));
    index_.AddWheel("cuda-toolkit", "13.1.0", Kit("13.1"));
    for (const char* version : {"13.0", "13.1"}) {
      index_.AddWheel("nvidia-cublas", version);
      index_.AddWheel("nvidia-cuda-nvcc", version);
    }
    spec_.spec.image.platforms = {{Architecture::kAmd64}, {Architecture::kArm64}};
    spec_.spec.python.layers = {{"python", {"numpy"}}};
    spec_.spec.cuda = {.enabled = false, .version = "13.0", .components = {"toolkit"}};
  }

  static support::MiniMetadata Kit(const std::string& version) {
    const std::string blas = "nvidia-cublas==" + version + ".*; extra == ";
    return {.requires_dist = {blas + "'cublas'", blas + "'all'",
                              "nvidia-cuda-nvcc==" + version + ".*; extra == 'all'"},
            .provides_extra = {"all", "cublas"}};
  }

  specs::Lock Make() {
    support::FakeHttp mirror;
    support::MiniArchive archive(mirror, std::string(kMirror) + "debian",
                                 std::string(kMirror) + "debian-security");
    support::MiniSuite updates{.codename = "bookworm-updates"};
    support::MiniSuite security{.codename = "bookworm-security"};
    for (support::MiniSuite* suite : {&main_, &updates, &security}) {
      suite->components = components_;
      archive.Publish(*suite);
    }
    support::TempFolder folder;
    layers::WriteFileAtomically(folder.path() / "key.gpg", archive.signer().PublicKey());
    support::FakeHttpClient index([&](const auto& request) { return index_.Answer(request); });
    TwoHosts http(mirror, index);
    const std::int64_t now = *ParseReleaseDate(main_.date) + 3600;
    RepositoryOptions options{.mirrors = {{std::string(kMirror) + "debian", "spec"},
                                          {std::string(kMirror) + "debian-security", "spec"}},
                              .keyring = {{folder.path() / "key.gpg"}},
                              .cache = folder.path() / "debian",
                              .now = now};
    Repository repository(specs::Suite::kBookworm, options, http, progress_);
    return MakeLock({.loaded = spec_,
                     .previous = previous_,
                     .own_platforms = own_platforms_,
                     .keep_platforms = keep_platforms_,
                     .upgrades = upgrades_,
                     .packer = "test"},
                    {.http = http,
                     .repository = repository,
                     .indexes = {MakeIndex("default", "https://index.example/simple")},
                     .python_cache = folder.path() / "python",
                     .now = now,
                     .progress = progress_});
  }

  static std::vector<std::string> NamesIn(const std::vector<LockedPackage>& packages,
                                          std::string_view layer) {
    std::vector<std::string> names;
    for (const LockedPackage& package : packages) {
      if (package.layer == layer) names.push_back(package.name);
    }
    return names;
  }

  static const LockedPackage& Find(const specs::LockedPlatform& locked, std::string_view name) {
    for (const LockedPackage& package : locked.packages) {
      if (package.name == name) return package;
    }
    throw specs::Error("no " + std::string(name));
  }

  support::MiniSuite main_;
  support::MiniIndex index_;
  specs::LoadedSpec spec_;
  const specs::Lock* previous_ = nullptr;
  std::vector<specs::Platform> own_platforms_;
  bool keep_platforms_ = false;
  std::set<std::string> upgrades_;
  std::vector<std::string> components_ = {"main"};
  support::QuietProgress progress_;
};

TEST_F(MakeLockTest, WhoBuildsForOnePlatformLeavesTheOthersTheirLock) {
  const specs::Lock both = Make();
  previous_ = &both;
  spec_.spec.image.platforms = {{Architecture::kArm64}};
  EXPECT_TRUE(LockMatches(both, spec_.spec));
  keep_platforms_ = true;
  EXPECT_EQ(Make(), both);
  keep_platforms_ = false;
  EXPECT_EQ(Make().platforms.size(), 1u);
  EXPECT_FALSE(LockMatches(Make(), {.image = {.platforms = {{Architecture::kAmd64}}}}));

  keep_platforms_ = true;
  spec_.spec.python.layers = {{"python", {"framework"}}};  // other inputs: another lock
  EXPECT_EQ(Make().platforms.size(), 1u);
  own_platforms_ = {{Architecture::kArm64}, {Architecture::kAmd64}};
  const specs::Lock narrowed = Make();
  spec_.spec.image.platforms = own_platforms_;
  EXPECT_EQ(narrowed, Make());
  EXPECT_EQ(narrowed.platforms.size(), 2u);
}

TEST_F(MakeLockTest, PlatformsShareVersionsAndTheFirstHasItsNewest) {
  // 3.0 is for amd64 alone, 2.9 for arm64 alone.
  index_.AddWheel("numpy", "2.9", {}, "py3-none-manylinux_2_28_aarch64");
  index_.AddWheel("fast", "1.0", {});
  index_.AddWheel("fast", "2.0", {}, "py3-none-manylinux_2_28_aarch64");
  index_.AddWheel("slow", "1.0", {});
  index_.AddWheel("slow", "3.0", {}, "py3-none-manylinux_2_28_x86_64");
  spec_.spec.python.layers = {{"python", {"numpy", "fast", "slow"}}};
  const auto versions = [&](const specs::Lock& lock, std::size_t platform) {
    std::vector<std::string> found;
    for (const char* name : {"numpy", "fast", "slow"}) {
      found.push_back(Find(lock.platforms[platform], name).version);
    }
    return found;
  };
  const specs::Lock lock = Make();
  EXPECT_THAT(versions(lock, 0), ElementsAre("2.1.0", "1.0", "3.0"));
  EXPECT_THAT(versions(lock, 1), ElementsAre("2.1.0", "1.0", "1.0"));

  // What the spec itself names leads.
  own_platforms_ = {{Architecture::kArm64}};
  const specs::Lock led = Make();
  EXPECT_THAT(versions(led, 0), ElementsAre("2.1.0", "1.0", "1.0"));
  EXPECT_THAT(versions(led, 1), ElementsAre("2.9", "2.0", "1.0"));
}

TEST_F(MakeLockTest, ANewPlatformTakesTheVersionsOfThePreviousLock) {
  spec_.spec.image.platforms = {{Architecture::kArm64}};
  const specs::Lock before = Make();
  index_.AddWheel("numpy", "2.2.0");
  previous_ = &before;
  spec_.spec.image.platforms = {{Architecture::kAmd64}, {Architecture::kArm64}};
  const specs::Lock both = Make();
  EXPECT_EQ(Find(both.platforms[0], "numpy").version, "2.1.0");
  EXPECT_EQ(both.platforms[1], before.platforms[0]);

  upgrades_ = {"numpy"};
  const specs::Lock upgraded = Make();
  EXPECT_EQ(Find(upgraded.platforms[0], "numpy").version, "2.2.0");
  EXPECT_EQ(Find(upgraded.platforms[1], "numpy").version, "2.2.0");
}

TEST_F(MakeLockTest, APreReleaseOfOnePlatformIsNoReasonForAnother) {
  index_.AddWheel("early", "2.0rc1", {});
  index_.AddWheel("early", "1.0", {}, "py3-none-manylinux_2_28_aarch64");
  spec_.spec.python.layers = {{"python", {"early"}}};
  const specs::Lock lock = Make();
  EXPECT_EQ(Find(lock.platforms[0], "early").version, "2.0rc1");
  EXPECT_EQ(Find(lock.platforms[1], "early").version, "1.0");
}

TEST_F(MakeLockTest, DebianVersionsAreShared) {
  for (const char* version : {"1", "2"}) {
    for (const char* architecture : {"amd64", "arm64"}) {
      if (version == std::string("2") && architecture == std::string("amd64")) continue;
      main_.packages.push_back({.name = "tool", .version = version, .architecture = architecture});
    }
  }
  spec_.spec.system.packages = {"tool"};
  const specs::Lock lock = Make();
  EXPECT_EQ(Find(lock.platforms[0], "tool").version, "1");
  EXPECT_EQ(Find(lock.platforms[1], "tool").version, "1");
}

TEST_F(MakeLockTest, AptComesWithTheEssentialPackages) {
  main_.packages.push_back(Deb("apt"));
  support::MiniDeb essential = Deb("findutils", "libacl1");
  essential.fields["Essential"] = "yes";
  main_.packages.push_back(essential);
  main_.packages.push_back(Deb("libacl1"));
  EXPECT_THAT(NamesIn(Make().platforms[1].packages, "base"), Not(Contains("findutils")));
  spec_.spec.system.packages = {"apt"};
  EXPECT_THAT(NamesIn(Make().platforms[1].packages, "base"),
              IsSupersetOf({"apt", "findutils", "libacl1"}));
  spec_.spec.system.profile = specs::Profile::kDistroless;
  EXPECT_THAT(NamesIn(Make().platforms[1].packages, "base"), Not(Contains("findutils")));
}

// Layers are split by size, whatever the index tells of it.
TEST_F(MakeLockTest, SizesThatTheIndexDoesNotSayAreFound) {
  const specs::Lock said = Make();
  ASSERT_GT(Find(said.platforms[0], "numpy").size, 0u);
  index_.says_sizes = false;
  EXPECT_EQ(Make(), said);
  index_.form = support::MiniIndex::Form::kHtml;
  EXPECT_EQ(Make(), said);
  // What a lock has once had needs no server.
  specs::Lock edited = said;
  for (specs::LockedPlatform& platform : edited.platforms) {
    for (LockedPackage& package : platform.packages) {
      if (package.name == "numpy") package.size = 12'345;
    }
  }
  previous_ = &edited;
  EXPECT_EQ(Make(), edited);
}

TEST_F(MakeLockTest, ADateAllowsWhatCameUntilTheEndOfThatDay) {
  spec_.spec.cuda = {};
  index_ = {};
  index_.AddWheel("numpy", "1.0").upload_time = "2026-03-01T23:59:59.9Z";
  index_.AddWheel("numpy", "2.0").upload_time = "2026-03-02T00:00:00Z";
  spec_.spec.python.exclude_newer = "2026-03-01";
  EXPECT_EQ(Find(Make().platforms[0], "numpy").version, "1.0");
  spec_.spec.python.exclude_newer = "2026-03-02";
  EXPECT_EQ(Find(Make().platforms[0], "numpy").version, "2.0");
  spec_.spec.python.exclude_newer = "2026-03-02T00:00:00Z";
  EXPECT_EQ(Find(Make().platforms[0], "numpy").version, "1.0");
}

TEST_F(MakeLockTest, CoversCudaOnAndOff) {
  const specs::Lock lock = Make();
  const specs::LockedPlatform& amd64 = lock.platforms[0];
  EXPECT_THAT(NamesIn(amd64.packages, "cuda"),
              ElementsAre("binutils", "g++", "g++-12", "libc6-dev", "cuda-toolkit", "nvidia-cublas",
                          "nvidia-cuda-nvcc"));
  EXPECT_THAT(NamesIn(amd64.packages, "base"), IsSupersetOf({"libstdc++6", "zlib1g", "python3"}));
  EXPECT_THAT(Find(amd64, "g++").required_by, ElementsAre("cuda"));
  EXPECT_THAT(Find(amd64, "cuda-toolkit").required_by, ElementsAre("cuda"));
  EXPECT_EQ(Find(amd64, "cuda-toolkit").version, "13.0.2");
  EXPECT_THAT(Find(amd64, "zlib1g").required_by, ElementsAre("g++-12", "python3"));
  EXPECT_EQ(Find(amd64, "zlib1g").only_with, "");
  EXPECT_EQ(specs::ParseLock(specs::RenderLock(lock), "x.lock"), lock);

  spec_.spec.cuda = {};
  const specs::Lock without = Make();
  EXPECT_EQ(specs::PackagesInForce({}, amd64), without.platforms[0]);
  EXPECT_EQ(lock.platforms[1], without.platforms[1]) << "arm64 has no CUDA";
}

TEST_F(MakeLockTest, TheSwitchNeedsNoOtherLock) {
  const specs::Lock off = Make();
  spec_.spec.cuda.enabled = true;
  EXPECT_TRUE(LockMatches(off, spec_.spec));
  EXPECT_EQ(Make(), off);
}

TEST_F(MakeLockTest, WhatAFrameworkNeedsAnywayStaysWhenTheSwitchIsOff) {
  spec_.spec.python.layers[0].packages = {"framework"};
  const specs::LockedPlatform amd64 = Make().platforms[0];
  // One set, at the section's version, in one layer; only what the section adds goes with it.
  EXPECT_EQ(Find(amd64, "nvidia-cublas").version, "13.0");
  EXPECT_EQ(Find(amd64, "nvidia-cublas").layer, "cuda");
  EXPECT_EQ(Find(amd64, "nvidia-cublas").only_with, "");
  EXPECT_EQ(Find(amd64, "nvidia-cuda-nvcc").only_with, "cuda");
  EXPECT_THAT(Find(amd64, "cuda-toolkit").required_by, ElementsAre("cuda", "framework"));
  EXPECT_EQ(Find(amd64, "framework").layer, "python");
  EXPECT_EQ(Find(amd64, "numpy").layer, "python");
}

TEST_F(MakeLockTest, WhatComesBesideTheToolkitIsHeldToItsVersion) {
  index_.AddWheel("nvidia-cudnn-cu13", "9.1", {.requires_dist = {"nvidia-cublas"}});
  spec_.spec.cuda.components = {"cudnn"};
  const specs::LockedPlatform amd64 = Make().platforms[0];
  EXPECT_EQ(Find(amd64, "nvidia-cublas").version, "13.0");
  EXPECT_THAT(NamesIn(amd64.packages, "cuda"),
              ElementsAre("cuda-toolkit", "nvidia-cublas", "nvidia-cudnn-cu13"));
}

TEST_F(MakeLockTest, TheHostCompilerComesWithNvccWhateverAsksForIt) {
  spec_.spec.cuda.components = {"all"};
  EXPECT_EQ(Find(Make().platforms[0], "g++").only_with, "cuda");
  spec_.spec.cuda.components = {"cublas"};
  EXPECT_THAT(NamesIn(Make().platforms[0].packages, "cuda"),
              ElementsAre("cuda-toolkit", "nvidia-cublas"));
}

TEST_F(MakeLockTest, AHostCompilerThatTheSpecListsStays) {
  spec_.spec.system.packages = {"g++"};
  const specs::LockedPlatform amd64 = Make().platforms[0];
  EXPECT_THAT(Find(amd64, "g++").required_by, ElementsAre("cuda", "spec"));
  EXPECT_EQ(Find(amd64, "g++-12").layer, "base");
  EXPECT_EQ(Find(amd64, "g++-12").only_with, "");
}

TEST_F(MakeLockTest, ASectionThatIsOffDoesNotFailTheLock) {
  spec_.spec.cuda.version = "14.0";
  const specs::Lock lock = Make();
  EXPECT_THAT(NamesIn(lock.platforms[0].packages, "cuda"), IsEmpty());
  EXPECT_THAT(lock.platforms[0].cuda_problem, HasSubstr("there is no CUDA 14.0 on the index"));
  EXPECT_EQ(lock.platforms[1].cuda_problem, "");
  EXPECT_THAT(progress_.lines(), Contains(HasSubstr("the CUDA section, which is off")));
  EXPECT_EQ(specs::ParseLock(specs::RenderLock(lock), "x.lock"), lock);

  spec_.spec.cuda.enabled = true;
  try {
    (void)Make();
    FAIL();
  } catch (const specs::Error& error) {
    EXPECT_EQ(error.kind(), specs::ErrorKind::kUnresolvable);
    EXPECT_THAT(error.what(), HasSubstr("while resolving for linux/amd64"));
  }
}

TEST_F(MakeLockTest, AConflictWithTheRestIsTheSectionsProblem) {
  index_.AddWheel("pinned", "1.0", {.requires_dist = {"cuda-toolkit[cublas]==13.1.*"}});
  spec_.spec.python.layers[0].packages = {"pinned"};
  const specs::LockedPlatform amd64 = Make().platforms[0];
  EXPECT_THAT(amd64.cuda_problem, HasSubstr("pinned"));
  EXPECT_EQ(Find(amd64, "nvidia-cublas").version, "13.1");
  EXPECT_EQ(Find(amd64, "nvidia-cublas").layer, "python");
}

class DebianCudaTest : public MakeLockTest {
 protected:
  DebianCudaTest() {
    spec_.spec.cuda.provider = "debian";
    spec_.spec.cuda.version = "11.8";
    components_ = {"main", "contrib", "non-free"};
    main_.packages.push_back({.name = "nvidia-cuda-toolkit",
                              .version = "11.8.89~11.8.0-5~deb12u1",
                              .fields = {{"Depends", "nvidia-cuda-dev, libnvidia-ml1 (>= 500)"}},
                              .component = "non-free"});
    support::MiniDeb compiler = Deb("nvidia-cuda-toolkit-gcc", "g++-11");
    compiler.component = "contrib";
    main_.packages.push_back(std::move(compiler));
    main_.packages.push_back(Deb("g++-11", "libstdc++6, libc6-dev, binutils"));
    main_.packages.push_back(Deb("nvidia-cuda-dev", "libcuda1 | libcuda-11.8-1, libstdc++6"));
    main_.packages.push_back(Deb("libcuda1", "nvidia-alternative"));
    main_.packages.push_back(Deb("nvidia-alternative"));
    main_.packages.push_back(Deb("libnvidia-ml1"));
  }
};

TEST_F(DebianCudaTest, ComesWithoutTheDriver) {
  const specs::Lock lock = Make();
  EXPECT_THAT(NamesIn(lock.platforms[0].packages, "cuda"),
              ElementsAre("binutils", "g++-11", "libc6-dev", "nvidia-cuda-dev",
                          "nvidia-cuda-toolkit", "nvidia-cuda-toolkit-gcc"));
  // Who builds with it is told of the licence, not who locks.
  EXPECT_THAT(progress_.lines(), Not(Contains(HasSubstr("licence"))));
}

// Of the components that only this section needs.
TEST_F(DebianCudaTest, AMirrorWithoutThemOnlyFailsWhereTheSectionIsOn) {
  components_ = {"main"};
  const specs::Lock lock = Make();
  EXPECT_THAT(NamesIn(lock.platforms[0].packages, "base"), Contains("python3"));
  EXPECT_THAT(lock.platforms[0].cuda_problem, HasSubstr("has no packages of contrib"));
  spec_.spec.cuda.enabled = true;
  EXPECT_THROW((void)Make(), specs::Error);
}

TEST_F(DebianCudaTest, ASuiteHasOneVersion) {
  spec_.spec.cuda.version = "12.4";
  EXPECT_THAT(Make().platforms[0].cuda_problem,
              AllOf(HasSubstr("Debian bookworm has no CUDA 12.4"), HasSubstr("\"11.8\"")));
}

}  // namespace
}  // namespace imgbuild::builder
