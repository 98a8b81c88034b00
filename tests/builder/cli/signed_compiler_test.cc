// A signed archive and its snapshots on loopback; the process's environment names them.
#include "builder/cli/signed_compiler.h"

#include <cstdlib>
#include <fstream>

#include <gtest/gtest.h>

#include "tests/support/fake_http.h"
#include "tests/support/loopback_server.h"
#include "tests/support/mini_archive.h"
#include "tests/support/temp_folder.h"

namespace imgbuild::builder {
namespace {

namespace fs = std::filesystem;

constexpr char kInside[] = "http://inside.example";

class SignedCompiler : public testing::Test {
 protected:
  SignedCompiler()
      : archive_(http_, std::string(kInside) + "/debian", std::string(kInside) + "/security"),
        snapshot_(http_, std::string(kInside) + "/then/debian/20240210T110725Z",
                  std::string(kInside) + "/then/debian-security/20240210T110725Z"),
        server_([this](const support::ServedRequest& request) {
          const HttpResponse found = http_.Fetch({.url = kInside + request.target});
          return support::ServedResponse{.status = found.status, .headers = {}, .body = found.body};
        }) {
    Set("XDG_CONFIG_HOME", folder_.path() / "config");
    Set("HOME", folder_.path());
    Set("IMGBUILD_DEBIAN_MIRROR", server_.url() + "/debian");
    Set("IMGBUILD_DEBIAN_SECURITY_MIRROR", server_.url() + "/security");
    Set("NO_PROXY", "127.0.0.1");
    for (const char* name : {"python3.11-minimal", "libc6"}) {
      debs_.push_back({.name = name, .files = {{std::string("usr/lib/") + name, name}}});
      const std::string bytes = debs_.back().Bytes();
      specs::LockedPackage package;
      package.name = name;
      package.version = debs_.back().version;
      package.sha256 = specs::HashOf(bytes);
      package.size = bytes.size();
      package.source = "bookworm/main";
      compiler_.packages.push_back(package);
    }
    compiler_.host = specs::HostPlatform();
    for (const char* suite : {"bookworm", "bookworm-updates", "bookworm-security"}) {
      lock_.suites.push_back({suite, "2024-02-10T11:07:25Z", {}});
    }
    Publish(archive_, debs_);
    Publish(snapshot_, debs_);
    TrustKeys(archive_.signer().PublicKey() + snapshot_.signer().PublicKey());
  }
  ~SignedCompiler() override {
    for (const auto& [name, value] : before_) {
      value ? setenv(name.c_str(), value->c_str(), 1) : unsetenv(name.c_str());
    }
  }

  void Set(const std::string& name, const std::string& value) {
    const char* old = std::getenv(name.c_str());
    before_.emplace(name, old != nullptr ? std::optional<std::string>(old) : std::nullopt);
    setenv(name.c_str(), value.c_str(), 1);
  }
  static void Publish(support::MiniArchive& archive, std::vector<support::MiniDeb> debs) {
    for (const char* codename : {"bookworm", "bookworm-updates", "bookworm-security"}) {
      archive.Publish({.codename = codename,
                       .date = "Sat, 10 Feb 2024 11:07:25 UTC",
                       .packages = std::exchange(debs, {})});
    }
  }
  void TrustKeys(const std::string& keys) {
    const fs::path config = folder_.path() / "config/imgbuild";
    fs::create_directories(config);
    std::ofstream(config / "keys.gpg", std::ios::binary) << keys;
    std::ofstream(config / "config.toml")
        << "[debian]\nkeyring = \"" << (config / "keys.gpg").string() << "\"\n";
  }
  bool IsSigned(const std::string& cache = "cache") {
    Session session(GlobalOptions{.cache_dir = folder_.path() / cache,
                                  .verbosity = Verbosity::kQuiet,
                                  .style = ReportStyle::kPlain,
                                  .jobs = 1});
    return IsSignedCompiler(session, spec_, lock_, compiler_);
  }

  support::TempFolder folder_;
  std::map<std::string, std::optional<std::string>> before_;
  support::FakeHttp http_;
  support::MiniArchive archive_;
  support::MiniArchive snapshot_;
  support::LoopbackServer server_;
  std::vector<support::MiniDeb> debs_;
  specs::Spec spec_;
  specs::Lock lock_;
  specs::LockedCompiler compiler_;
};

TEST_F(SignedCompiler, IsOneWhosePackagesAreAllInTheLists) {
  EXPECT_TRUE(IsSigned());
  compiler_.packages[1].sha256 = specs::HashOf("another");
  EXPECT_FALSE(IsSigned());
  compiler_.packages.pop_back();
  EXPECT_TRUE(IsSigned());
}

TEST_F(SignedCompiler, IsRememberedWhenTheArchiveHasReplacedIt) {
  EXPECT_TRUE(IsSigned());
  debs_[0].version = "1.0-2";
  Publish(archive_, debs_);
  EXPECT_TRUE(IsSigned());
  EXPECT_FALSE(IsSigned("another cache"));
}

TEST_F(SignedCompiler, IsLookedForInTheListsOfThen) {
  std::vector<support::MiniDeb> newer = debs_;
  newer[0].version = "1.0-2";
  Publish(archive_, newer);
  EXPECT_FALSE(IsSigned());
  spec_.system.snapshot = server_.url() + "/then/{archive}/{timestamp}";
  EXPECT_TRUE(IsSigned());
}

TEST_F(SignedCompiler, KeysOfTheSpecVouchForNothing) {
  TrustKeys(snapshot_.signer().PublicKey());
  std::ofstream(folder_.path() / "spec.gpg", std::ios::binary) << archive_.signer().PublicKey();
  spec_.system.keyring = folder_.path() / "spec.gpg";
  EXPECT_FALSE(IsSigned());
}

TEST_F(SignedCompiler, IsNoneWhereNobodyKnows) {
  Set("IMGBUILD_DEBIAN_MIRROR", server_.url() + "/nothing");
  EXPECT_FALSE(IsSigned());
}

}  // namespace
}  // namespace imgbuild::builder
