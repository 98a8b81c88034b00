#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "builder/ui/bar.h"
#include "builder/ui/reporters.h"
#include "specs/base/text.h"

namespace imgbuild::builder {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

TEST(Bar, ShowsAmountRateAndDetail) {
  std::string line = RenderBar({.label = "Downloading",
                                .detail = "numpy",
                                .unit = ProgressUnit::kBytes,
                                .done = 72'000'000,
                                .total = 144'000'000,
                                .elapsed_ms = 1000},
                               120);
  EXPECT_THAT(line, HasSubstr("[############............] 72 MB of 144 MB  72 MB/s  numpy"));
}

TEST(Bar, NeverExceedsTheWidthOrItsCells) {
  const std::string long_detail(300, 'd');
  BarState state{.label = "Downloading",
                 .detail = long_detail,
                 .unit = ProgressUnit::kBytes,
                 .done = 10,
                 .total = 5,
                 .elapsed_ms = 999};
  for (std::size_t width = 0; width < 200; ++width) {
    EXPECT_LE(RenderBar(state, width).size(), width);
  }
  EXPECT_THAT(RenderBar(state, 80), HasSubstr("[########################]"));
}

TEST(PlainProgress, WritesALineWhenATaskEnds) {
  std::string text;
  auto progress = MakePlainProgress([&](std::string_view t) { text += t; }, Verbosity::kNormal);
  auto task = progress->Begin("Resolving", ProgressUnit::kItems);
  task->Advance(3);
  EXPECT_EQ(text, "");
  task->Finish("101 packages");
  progress->Detail("hidden");
  progress->Warning("old");
  EXPECT_EQ(text, "Resolving: 101 packages\nwarning: old\n");
}

TEST(PlainProgress, QuietKeepsWarningsOnly) {
  std::string text;
  auto progress = MakePlainProgress([&](std::string_view t) { text += t; }, Verbosity::kQuiet);
  progress->Begin("Resolving", ProgressUnit::kItems)->Finish("done");
  progress->Info("info");
  progress->Warning("old");
  EXPECT_EQ(text, "warning: old\n");
}

TEST(JsonProgress, WritesOneObjectALine) {
  std::string text;
  auto progress = MakeJsonProgress([&](std::string_view t) { text += t; });
  auto task = progress->Begin("Downloading", ProgressUnit::kBytes);
  task->Finish("1 \"file\"");
  std::vector<std::string_view> lines = specs::Split(text, '\n');
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(nlohmann::json::parse(lines[0])["unit"], "bytes");
  EXPECT_EQ(nlohmann::json::parse(lines[1])["summary"], "1 \"file\"");
  EXPECT_EQ(lines[2], "");
}

TEST(JsonProgress, EndsTasksThatWereNotFinished) {
  std::string text;
  auto progress = MakeJsonProgress([&](std::string_view t) { text += t; });
  progress->Begin("Downloading", ProgressUnit::kBytes).reset();
  std::vector<std::string_view> lines = specs::Split(text, '\n');
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(nlohmann::json::parse(lines[1]),
            nlohmann::json::parse(R"({"event": "end", "task": 1})"));
}

TEST(ErrorEvent, HasAllThatTheErrorHas) {
  const std::string line =
      RenderErrorEvent(specs::Error(specs::ErrorKind::kVerification, "x.whl has the wrong SHA-256")
                           .Found("ab\xff")
                           .Expected("cd")
                           .Hint("lock again")
                           .In("while fetching x")
                           .In("while building"));
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  EXPECT_EQ(nlohmann::json::parse(line),
            nlohmann::json({{"event", "error"},
                            {"kind", "verification"},
                            {"message", "x.whl has the wrong SHA-256"},
                            {"found", "ab\ufffd"},
                            {"expected", "cd"},
                            {"hint", "lock again"},
                            {"trail", {"while fetching x", "while building"}},
                            {"exit", 4}}));
}

TEST(ErrorEvent, HasNothingThatTheErrorHasNot) {
  EXPECT_EQ(
      nlohmann::json::parse(RenderErrorEvent(specs::Error("no"))),
      nlohmann::json({{"event", "error"}, {"kind", "failure"}, {"message", "no"}, {"exit", 1}}));
}

TEST(TerminalProgress, LeavesOnlyFinishedLinesBehind) {
  std::string text;
  auto progress = MakeTerminalProgress([&](std::string_view t) { text += t; }, [] { return 80u; },
                                       Verbosity::kNormal);
  auto first = progress->Begin("Resolving", ProgressUnit::kItems);
  auto second = progress->Begin("Downloading", ProgressUnit::kBytes);
  progress->Info("note");
  first->Finish("done");
  first.reset();
  second.reset();
  progress.reset();
  EXPECT_THAT(text, HasSubstr("note\nResolving"));
  EXPECT_THAT(text, HasSubstr("Resolving                    done\n"));
  EXPECT_THAT(text, EndsWith("\x1b[J"));
}

}  // namespace
}  // namespace imgbuild::builder
