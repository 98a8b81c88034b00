#include "builder/assemble/pyc_memo.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "specs/base/error.h"
#include "tests/support/temp_folder.h"

namespace imgbuild::builder {
namespace {

using layers::PycSource;
using testing::ElementsAre;
using Results = std::vector<std::optional<std::string>>;

// PEP 552, with the lowest byte of time and size only.
std::string Header(const PycSource& source) {
  std::string header(16, '\0');
  header[0] = 'm';
  header[8] = static_cast<char>(source.mtime);
  header[12] = static_cast<char>(source.bytes.size());
  return header;
}

std::optional<std::string> Made(const PycSource& source) {
  return Header(source) + source.co_filename + ":" + std::string(source.bytes);
}

// Says which sources it was asked for; those that begin with "!" do not compile.
class CountingCompiler : public layers::PycCompiler {
 public:
  Results Compile(std::span<const PycSource> sources) override {
    Results results;
    for (const PycSource& source : sources) {
      asked.emplace_back(source.bytes);
      results.push_back(source.bytes.starts_with("!") ? std::nullopt : Made(source));
    }
    return results;
  }

  std::vector<std::string> asked;
};

class PycMemoTest : public testing::Test {
 protected:
  Results Compile(const std::vector<PycSource>& sources) { return memoized_.Compile(sources); }

  support::TempFolder folder_;
  layers::Store store_{folder_.path()};
  PycMemo memo_{store_};
  CountingCompiler compiler_;
  MemoCompiler memoized_{memo_, compiler_};
};

TEST_F(PycMemoTest, TheSameSourceIsCompiledOnce) {
  const std::vector<PycSource> sources = {{"/a.py", 1, "a"}, {"/b.py", 1, "!b"}, {"/c.py", 1, "c"}};
  const Results first = Compile(sources);
  EXPECT_THAT(first, ElementsAre(Made(sources[0]), testing::Eq(std::nullopt), Made(sources[2])));
  EXPECT_EQ(Compile(sources), first);
  EXPECT_THAT(compiler_.asked, ElementsAre("a", "!b", "c"));
}

TEST_F(PycMemoTest, AnotherPathOrTextIsAnotherSource) {
  Compile({{"/a.py", 1, "a"}});
  const std::vector<PycSource> sources = {{"/x.py", 1, "a"}, {"/a.py", 1, "b"}, {"/a.py", 1, "a"}};
  EXPECT_THAT(Compile(sources), ElementsAre(Made(sources[0]), Made(sources[1]), Made(sources[2])));
  EXPECT_THAT(compiler_.asked, ElementsAre("a", "a", "b"));
}

TEST_F(PycMemoTest, AnotherTimeIsOnlyAnotherHeader) {
  Compile({{"/a.py", 1, "a"}});
  const std::vector<PycSource> sources = {{"/a.py", 2, "a"}};
  EXPECT_THAT(Compile(sources), ElementsAre(Made(sources[0])));
  EXPECT_THAT(compiler_.asked, ElementsAre("a"));
}

TEST_F(PycMemoTest, LargeResultsComeBackWhole) {
  const std::string large(3'000'000, 'x');
  const Results first = Compile({{"/a.py", 1, large}, {"/b.py", 1, "b"}});
  EXPECT_EQ(Compile({{"/b.py", 1, "b"}, {"/a.py", 1, large}}).at(1), first.at(0));
  EXPECT_EQ(compiler_.asked.size(), 2u);
}

TEST_F(PycMemoTest, LeavesNothingBehind) {
  {
    PycMemo memo(store_);
    memo.Keep({"/a.py", 1, "a"}, "bytes");
    EXPECT_TRUE(memo.Find({"/a.py", 1, "a"}));
  }
  std::size_t files = 0;
  for ([[maybe_unused]] const auto& file :
       std::filesystem::directory_iterator(store_.paths().Temporary())) {
    ++files;
  }
  EXPECT_EQ(files, 1u);  // the fixture's own
}

}  // namespace
}  // namespace imgbuild::builder
