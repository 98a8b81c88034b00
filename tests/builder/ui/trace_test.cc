#include "builder/ui/trace.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "builder/ui/reporters.h"

namespace imgbuild::builder {
namespace {

using Json = nlohmann::json;

// What a trace holds of `work`, and what was shown meanwhile.
struct Traced {
  Json events;
  std::string shown;
};

template <typename Work>
Traced Trace(Work&& work) {
  Traced traced;
  std::string text;
  {
    auto progress = MakeTracingProgress(
        MakePlainProgress([&](std::string_view t) { traced.shown += t; }, Verbosity::kNormal),
        [&](std::string_view t) { text += t; });
    work(*progress);
    EXPECT_EQ(text, "");
  }
  traced.events = Json::parse(text).at("traceEvents");
  return traced;
}

// "KIND/LANE NAME" of each complete event.
std::vector<std::string> Spans(const Json& events) {
  std::map<int, std::string> kinds;
  std::vector<std::string> spans;
  for (const Json& event : events) {
    const int process = event.at("pid");
    if (event.at("ph") == "M") {
      kinds[process] = event.at("args").at("name");
    } else {
      spans.push_back(fmt::format("{}/{} {}", kinds.at(process), event.at("tid").get<int>(),
                                  event.at("name").get<std::string>()));
    }
  }
  return spans;
}

TEST(Trace, HoldsTasksAndStepsAndShowsWhatTheInnerShows) {
  const Traced traced = Trace([](Progress& progress) {
    auto task = progress.Begin("Unpacking packages", ProgressUnit::kItems);
    progress.Step("Unpacking", "numpy");
    progress.Warning("old");
    task->Finish("1 package");
  });
  EXPECT_THAT(Spans(traced.events),
              testing::ElementsAre("imgbuild/1 Unpacking packages", "Unpacking/1 numpy"));
  EXPECT_EQ(traced.events.at(2).at("args").at("summary"), "1 package");
  EXPECT_EQ(traced.shown, "warning: old\nUnpacking packages: 1 package\n");
}

TEST(Trace, GivesWhatGoesOnAtTheSameTimeLanesOfItsOwn) {
  const Traced traced = Trace([](Progress& progress) {
    auto first = progress.Step("Downloads", "first");
    auto second = progress.Step("Downloads", "second");
    auto other = progress.Step("Layers", "other");
    first.reset();
    auto third = progress.Step("Downloads", "third");
  });
  EXPECT_THAT(Spans(traced.events), testing::ElementsAre("Downloads/1 first", "Downloads/2 second",
                                                         "Layers/1 other", "Downloads/1 third"));
}

TEST(Trace, TimesLieWithinOneAnother) {
  const Traced traced = Trace([](Progress& progress) {
    auto task = progress.Begin("outer", ProgressUnit::kItems);
    progress.Step("Steps", "inner");
  });
  const Json& outer = traced.events.at(2);
  const Json& inner = traced.events.at(3);
  EXPECT_LE(outer.at("ts").get<std::uint64_t>(), inner.at("ts").get<std::uint64_t>());
  EXPECT_GE(outer.at("ts").get<std::uint64_t>() + outer.at("dur").get<std::uint64_t>(),
            inner.at("ts").get<std::uint64_t>() + inner.at("dur").get<std::uint64_t>());
}

TEST(Trace, IsWrittenWheneverItIsFlushed) {
  std::vector<std::string> written;
  auto progress = MakeTracingProgress(MakePlainProgress([](std::string_view) {}, Verbosity::kQuiet),
                                      [&](std::string_view text) { written.emplace_back(text); });
  auto step = progress->Step("Steps", "that goes on");
  progress->Flush();
  ASSERT_EQ(written.size(), 1u);
  EXPECT_THAT(Spans(Json::parse(written[0]).at("traceEvents")),
              testing::ElementsAre("Steps/1 that goes on"));
  EXPECT_THAT(written[0], testing::StartsWith(std::string(kTraceBeginning)));
  step.reset();
  progress.reset();
  EXPECT_EQ(written.size(), 2u);
}

TEST(Trace, OfNothingIsADocumentAllTheSame) {
  EXPECT_EQ(Trace([](Progress&) {}).events, Json::array());
}

}  // namespace
}  // namespace imgbuild::builder
