// Compares SolveDebian with apt-get on the real archive: docs/debian-resolution.md has the method
// and the larger comparison.
#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>

#include "builder/debian/solve.h"
#include "builder/host/package_sources.h"
#include "tests/support/temp_folder.h"

namespace imgbuild::builder {
namespace {

namespace fs = std::filesystem;
using Versions = std::map<std::string, std::string>;

// Its standard output and error; the exit status is appended where it is not 0.
std::string Run(const std::string& command) {
  std::string output;
  std::FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
  std::array<char, 4096> buffer;
  while (std::size_t got = std::fread(buffer.data(), 1, buffer.size(), pipe)) {
    output.append(buffer.data(), got);
  }
  int status = ::pclose(pipe);
  return status == 0 ? output : output + "\nexit status " + std::to_string(status) + "\n";
}

// An apt of its own: no package installed, lists of one suite with its updates and security.
class EmptySystem {
 public:
  explicit EmptySystem(const std::string& suite) {
    Environment environment = Environment::OfProcess();
    DebianMirrors mirrors =
        FindDebianMirrors(environment, std::nullopt, {}, ReadHostSources(environment));
    for (const char* folder : {"etc/parts", "lists/partial", "cache/archives/partial"}) {
      fs::create_directories(root() / folder);
    }
    std::ofstream(root() / "status");
    std::ofstream sources(root() / "sources.list");
    const std::string key = "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ";
    sources << key << mirrors.archive.url << " " << suite << " main\n"
            << key << mirrors.archive.url << " " << suite << "-updates main\n"
            << key << mirrors.security.url << " " << suite << "-security main\n";
    std::ofstream(root() / "apt.conf")
        << "Dir::Etc \"" << (root() / "etc").string() << "\";\n"
        << "Dir::Etc::sourcelist \"" << (root() / "sources.list").string() << "\";\n"
        << "Dir::Etc::sourceparts \"-\";\nDir::Etc::parts \"parts\";\n"
        << "Dir::State \"" << root().string() << "\";\n"
        << "Dir::State::lists \"" << (root() / "lists").string() << "\";\n"
        << "Dir::State::status \"" << (root() / "status").string() << "\";\n"
        << "Dir::Cache \"" << (root() / "cache").string() << "\";\n"
        << "APT::Install-Recommends \"false\";\nAPT::Architecture \"amd64\";\n"
        << "APT::Architectures \"amd64\";\nAcquire::Languages \"none\";\n"
        << "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled \"false\";\n"
        << "APT::Sandbox::User \"root\";\n";
  }

  std::string Update() const { return Run(Apt() + "update -qq"); }

  Versions Install(const std::string& packages) const {
    std::istringstream lines(Run(Apt() + "-s install " + packages));
    Versions versions;
    std::string line;
    while (std::getline(lines, line)) {
      std::istringstream words(line);
      std::string inst, name, version;
      words >> inst >> name >> version;
      if (inst == "Inst") versions[name] = version.substr(1);
    }
    return versions;
  }

  PackageIndex Index() const {
    std::vector<PackageIndex::Text> texts;
    for (const auto& entry : fs::directory_iterator(root() / "lists")) {
      std::string name = entry.path().filename().string();
      if (!name.ends_with("_Packages")) continue;
      std::ifstream file(entry.path());
      std::stringstream text;
      text << file.rdbuf();
      texts.push_back({name, text.str()});
    }
    std::sort(texts.begin(), texts.end(),
              [](const auto& a, const auto& b) { return a.source < b.source; });
    return PackageIndex::FromText(texts, specs::Architecture::kAmd64);
  }

 private:
  fs::path root() const { return folder_.path(); }
  std::string Apt() const { return "APT_CONFIG=" + (root() / "apt.conf").string() + " apt-get "; }

  support::TempFolder folder_;
};

Versions Solve(const PackageIndex& index, const std::string& packages) {
  std::istringstream words(packages);
  std::vector<std::string> roots{std::istream_iterator<std::string>(words), {}};
  Versions versions;
  for (const ClosurePackage& entry : SolveDebian(index, roots).packages) {
    versions[std::string(entry.package.name())] = std::string(entry.package.version());
  }
  return versions;
}

class AgainstApt : public testing::TestWithParam<const char*> {};

TEST_P(AgainstApt, ChoosesTheSamePackages) {
  EmptySystem system(GetParam());
  std::string trouble = system.Update();
  if (!trouble.empty()) GTEST_SKIP() << "apt cannot reach the archive: " << trouble;
  PackageIndex index = system.Index();
  for (const char* packages : {"python3 ca-certificates tzdata", "git", "build-essential", "curl",
                               "ffmpeg", "postgresql", "octave"}) {
    Versions apt = system.Install(packages);
    EXPECT_GT(apt.size(), 10u) << packages;
    EXPECT_EQ(Solve(index, packages), apt) << packages;
  }
}

// apt takes the first alternative of some relations before it learns that another one comes anyway.
TEST_P(AgainstApt, TakesNothingMoreForADesktop) {
  EmptySystem system(GetParam());
  std::string trouble = system.Update();
  if (!trouble.empty()) GTEST_SKIP() << "apt cannot reach the archive: " << trouble;
  Versions apt = system.Install("gnome-core");
  Versions ours = Solve(system.Index(), "gnome-core");
  EXPECT_GT(ours.size(), 500u);
  EXPECT_TRUE(std::includes(apt.begin(), apt.end(), ours.begin(), ours.end()));
  EXPECT_LE(apt.size(), ours.size() + 5);
}

INSTANTIATE_TEST_SUITE_P(Suites, AgainstApt, testing::Values("bookworm", "trixie"));

}  // namespace
}  // namespace imgbuild::builder
