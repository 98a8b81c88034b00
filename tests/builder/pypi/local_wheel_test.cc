// Wheels on this machine in place of a project's releases.
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "builder/pypi/metadata_client.h"
#include "builder/pypi/resolver.h"
#include "layers/io/atomic_file.h"
#include "layers/io/hashing.h"
#include "specs/base/text.h"
#include "tests/support/mini_index.h"
#include "tests/support/temp_folder.h"

namespace imgbuild::builder {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr std::string_view kMetadata = "Metadata-Version: 2.1\nName: big\nVersion: 1.0\n";
constexpr std::string_view kName = "big-1.0-py3-none-any.whl";

// With `hole` zero bytes, which take no room on disk, between METADATA and the directory.
void WriteWheel(const fs::path& path, std::uint32_t hole) {
  const std::string zip =
      support::MakeZip({{"big-1.0.dist-info/METADATA", std::string(kMetadata)}});
  const std::size_t end = zip.size() - 22;  // PKZIP's end record without a comment
  const std::size_t directory = zip.find("PK\x01\x02");
  std::string tail = zip.substr(directory);
  const auto offset = static_cast<std::uint32_t>(directory + hole);
  for (std::size_t i = 0; i < 4; ++i) {
    tail[end - directory + 16 + i] = static_cast<char>(offset >> 8 * i & 0xff);
  }
  layers::WriteFileAtomically(path, zip.substr(0, directory));
  fs::resize_file(path, offset);
  std::ofstream(path, std::ios::binary | std::ios::app) << tail;
}

// The most memory that this process had since this was made, in kB.
class PeakMemory {
 public:
  PeakMemory() {
    std::ofstream("/proc/self/clear_refs") << "5";
    before_ = Now();
  }
  std::uint64_t Growth() const { return Now() - before_; }

 private:
  static std::uint64_t Now() {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);) {
      if (line.starts_with("VmHWM:")) return *specs::ParseUnsigned(specs::SplitWords(line)[1]);
    }
    return 0;
  }

  std::uint64_t before_ = 0;
};

class LocalWheelTest : public testing::Test {
 protected:
  Resolution Resolve(const fs::path& file) {
    ResolveInput input{.target = MakeTarget("3.11.2", {specs::Architecture::kAmd64})};
    input.wheels = {
        {.filename = file.filename(), .path = "wheels/" + file.filename().string(), .file = file}};
    return ResolvePython(input, {.http = http_, .indexes = {}, .now = 1'800'000'000});
  }

  support::TempFolder folder_;
  support::MiniIndex index_;
  support::FakeHttpClient http_{[this](const auto& request) { return index_.Answer(request); }};
};

TEST_F(LocalWheelTest, OfAHugeOneOnlyPartsAreInMemory) {
  const fs::path file = folder_.path() / kName;
  WriteWheel(file, 300u << 20);
  const PeakMemory peak;
  const Resolution found = Resolve(file);
  EXPECT_LT(peak.Growth(), 100'000u);
  ASSERT_EQ(found.packages.size(), 1u);
  EXPECT_EQ(found.packages[0].name, "big");
  EXPECT_EQ(found.packages[0].path, "wheels/" + std::string(kName));
  EXPECT_EQ(found.packages[0].size, fs::file_size(file));
  EXPECT_EQ(found.packages[0].sha256, layers::HashFile(file));
}

TEST_F(LocalWheelTest, ADamagedOneIsSaidToBe) {
  const fs::path file = folder_.path() / kName;
  for (std::uint32_t size : {0u, 40u, 150u}) {
    WriteWheel(file, 0);
    if (size < fs::file_size(file)) fs::resize_file(file, size);
    const auto result = ReadWheelFileMetadata(kName, file);
    ASSERT_TRUE(std::holds_alternative<UnreadableFile>(result)) << size;
    EXPECT_THAT(std::get<UnreadableFile>(result).clause, HasSubstr("is damaged"));
  }
  WriteWheel(file, 100'000);
  EXPECT_EQ(std::get<std::string>(ReadWheelFileMetadata(kName, file)), kMetadata);
}

}  // namespace
}  // namespace imgbuild::builder
