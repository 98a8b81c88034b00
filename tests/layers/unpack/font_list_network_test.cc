// The list of fonts against matplotlib's own, of real releases: needs a Python index.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include "layers/io/file.h"
#include "layers/unpack/font_list.h"
#include "tests/support/temp_folder.h"

namespace imgbuild::layers {
namespace {

namespace fs = std::filesystem;

// Exits with 1 where the lists differ, beside the order and the fonts of this machine's system.
constexpr const char* kCompare = R"(
import dataclasses, os, sys
sys.path.insert(0, 'site')
os.environ['MPLCONFIGDIR'] = 'config'
import matplotlib
from matplotlib import font_manager
ours, theirs = font_manager.json_load(sys.argv[1]), font_manager.FontManager()
assert ours._version == font_manager.FontManager.__version__, ours._version
assert vars(ours).keys() >= vars(theirs).keys() - {'_findfont_cached'}, vars(theirs).keys()
bad = 0
for kind in 'ttflist', 'afmlist':
    def bundled(manager):
        return {repr(entry) if not dataclasses.is_dataclass(entry) else dataclasses.astuple(entry)
                for entry in getattr(manager, kind) if entry.fname.startswith(matplotlib.get_data_path())}
    assert len(bundled(theirs)) > 30
    for entry in bundled(ours) ^ bundled(theirs):
        bad = 1
        print('ours' if entry in bundled(ours) else 'theirs', entry)
sys.exit(bad)
)";

class RealMatplotlibTest : public testing::TestWithParam<const char*> {};

TEST_P(RealMatplotlibTest, HasTheListThatWeMake) {
  const support::TempFolder folder;
  const auto run = [&](const std::string& command) {
    return std::system(("cd '" + folder.path().string() + "' && " + command).c_str());
  };
  if (run("python3 -m pip install -q --target site --only-binary=:all: " + std::string(GetParam()) +
          " >/dev/null 2>&1") != 0) {
    GTEST_SKIP() << "pip cannot install matplotlib here";
  }
  const fs::path site = folder.path() / "site";
  const fs::path data = site / kMatplotlibData;
  std::vector<FontFile> fonts;
  for (const auto& entry : fs::recursive_directory_iterator(data)) {
    const std::string name = fs::relative(entry.path(), data).string();
    if (IsListedFont(name)) fonts.push_back({name, ReadFile(entry.path())});
  }
  const auto list = MakeFontList(ReadFile(site / "matplotlib/font_manager.py"), fonts);
  ASSERT_TRUE(list.has_value());
  std::ofstream(folder.path() / list->name) << list->json;
  std::ofstream(folder.path() / "compare.py") << kCompare;
  EXPECT_EQ(run("python3 compare.py " + list->name), 0);
}

INSTANTIATE_TEST_SUITE_P(Releases, RealMatplotlibTest,
                         testing::Values("'matplotlib==3.10.*'", "'matplotlib==3.11.*'"));

}  // namespace
}  // namespace imgbuild::layers
