#include "builder/assemble/pyc_memo.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "specs/base/error.h"
#include "tests/support/temp_folder.h"

namespace imgbuild::builder {
namespace {

using layers::PycSource;
using testing::ElementsAre;
using testing::Optional;
using Results = std::vector<std::optional<std::string>>;

// Says which sources it was asked for; those that begin with "!" do not compile.
class CountingCompiler : public layers::PycCompiler {
 public:
  Results Compile(std::span<const PycSource> sources) override {
    Results results;
    for (const PycSource& source : sources) {
      asked.emplace_back(source.bytes);
      const std::string made =
          source.co_filename + "@" + std::to_string(source.mtime) + ":" + std::string(source.bytes);
      results.push_back(source.bytes.starts_with("!") ? std::nullopt : std::optional(made));
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
  EXPECT_THAT(first, ElementsAre(Optional(std::string("/a.py@1:a")), testing::Eq(std::nullopt),
                                 Optional(std::string("/c.py@1:c"))));
  EXPECT_EQ(Compile(sources), first);
  EXPECT_THAT(compiler_.asked, ElementsAre("a", "!b", "c"));
}

TEST_F(PycMemoTest, AnotherPathTimeOrTextIsAnotherSource) {
  Compile({{"/a.py", 1, "a"}});
  EXPECT_THAT(Compile({{"/x.py", 1, "a"}, {"/a.py", 2, "a"}, {"/a.py", 1, "b"}, {"/a.py", 1, "a"}}),
              ElementsAre(Optional(std::string("/x.py@1:a")), Optional(std::string("/a.py@2:a")),
                          Optional(std::string("/a.py@1:b")), Optional(std::string("/a.py@1:a"))));
  EXPECT_THAT(compiler_.asked, ElementsAre("a", "a", "a", "b"));
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
