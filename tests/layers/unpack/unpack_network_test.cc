// Real packages, fetched by this machine's own apt and pip: needs the network.
#include <cstdlib>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "layers/io/file.h"
#include "layers/io/hashing.h"
#include "layers/unpack/extract.h"
#include "specs/python/record.h"
#include "tests/layers/unpack/unpack_fixture.h"

namespace imgbuild::layers {
namespace {

namespace fs = std::filesystem;

class RealPackagesTest : public UnpackTest {
 protected:
  int Run(const std::string& command) const {
    return std::system(("cd '" + folder_.path().string() + "' && " + command).c_str());
  }
  std::vector<fs::path> Files(const std::string& extension) const {
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(folder_.path())) {
      if (entry.path().extension() == extension) files.push_back(entry.path());
    }
    return files;
  }
  static specs::Sha256 DigestOf(const fs::path& path) {
    FileSource file(path);
    HashingSource hashed(file);
    NullSink nowhere;
    CopyAll(hashed, nowhere);
    return hashed.Finish();
  }
};

TEST_F(RealPackagesTest, DebsExtractAsDpkgDoes) {
  if (Run("apt-get -qq download tzdata perl-base python3.11-minimal >/dev/null 2>&1") != 0) {
    GTEST_SKIP() << "apt-get cannot download packages here";
  }
  for (const fs::path& deb : Files(".deb")) {
    DebOptions options;
    options.sha256 = DigestOf(deb);
    options.filter = PathFilter::kNone;
    fs::path ours = deb.string() + ".ours";
    fs::path theirs = deb.string() + ".theirs";
    PackageFacts facts = ExtractDeb(deb, options, ours);
    EXPECT_GT(facts.files.size(), 10u);
    ASSERT_EQ(Run("dpkg-deb -x '" + deb.string() + "' '" + theirs.string() + "'"), 0);
    EXPECT_EQ(Run("diff -r --no-dereference '" + ours.string() + "' '" + theirs.string() + "'"), 0);
  }
}

TEST_F(RealPackagesTest, WheelsInstallWithARightRecord) {
  if (Run("python3 -m pip download -q --no-deps --only-binary=:all: --python-version 3.11 "
          "numpy matplotlib jupyterlab pip >/dev/null 2>&1") != 0) {
    GTEST_SKIP() << "pip cannot download packages here";
  }
  for (const fs::path& wheel : Files(".whl")) {
    WheelOptions options;
    options.file_name = wheel.filename().string();
    Unpacked result = Wheel(ReadFile(wheel), options);
    std::string site = "opt/venv/lib/python3.11/site-packages/";
    std::set<std::string> recorded;
    for (const auto& [path, content] : result.content) {
      if (!path.ends_with(".dist-info/RECORD")) continue;
      auto rows = specs::ParseRecord(content);
      for (const specs::RecordEntry& row : std::get<0>(rows)) {
        std::string installed = fs::path(site + row.path).lexically_normal().string();
        recorded.insert(installed);
        if (row.hash.empty()) continue;
        EXPECT_EQ(specs::RecordHash(result.Find(installed)->digest), row.hash) << installed;
      }
    }
    EXPECT_EQ(recorded.size(), result.order.size()) << wheel;
    for (const std::string& path : result.order) EXPECT_TRUE(recorded.contains(path)) << path;
  }
}

}  // namespace
}  // namespace imgbuild::layers
