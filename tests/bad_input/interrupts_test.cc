// Ctrl-C, and other ways to be told to stop: at once, at any point, with nothing to clean up.
#include <chrono>
#include <future>
#include <thread>

#include <gmock/gmock.h>
#include <signal.h>

#include "layers/io/file.h"
#include "tests/bad_input/bad_input_fixture.h"

namespace imgbuild::bad_input {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;
using whole_build::Running;

struct Point {
  std::string name;
  std::string target;  // what never gets an answer
  support::Hang hang;
};

class Interrupted : public BadInput, public testing::WithParamInterface<std::tuple<int, Point>> {
 protected:
  // The first request for `target` is noticed, and it hangs.
  std::future<void> HangAt(const Point& point) {
    auto promise = std::make_shared<std::promise<void>>();
    auto once = std::make_shared<std::once_flag>();
    world_.SetFault([this, point, promise,
                     once](const ServedRequest& request) -> std::optional<ServedResponse> {
      if (!request.target.starts_with(point.target)) return std::nullopt;
      std::call_once(*once, [&] { promise->set_value(); });
      ServedResponse response = world_.Answer(request);
      response.hang = point.hang;
      return response;
    });
    return promise->get_future();
  }
};

// What every interrupted run keeps; whether it ended in time.
void ExpectInterrupted(Running& running, int number) {
  const auto begin = steady_clock::now();
  running.Signal(number);
  const Ended ended = running.Wait();
  EXPECT_LT(steady_clock::now() - begin, milliseconds(1000));
  EXPECT_EQ(ended.status, kInterrupted) << ended.output;
  EXPECT_THAT(ended.output, HasSubstr("interrupted"));
}

TEST_P(Interrupted, EndsAtOnceWhateverItWaitsFor) {
  const auto& [number, point] = GetParam();
  Invocation run = Build();
  run.environment["IMGBUILD_TIMEOUT"] = "60";
  const std::filesystem::path trace = folder_.path() / "trace.json";
  run.arguments.insert(run.arguments.end(), {"--trace", trace.string()});
  std::future<void> reached = HangAt(point);
  {
    Running running(world_, run);
    ASSERT_EQ(reached.wait_for(std::chrono::seconds(30)), std::future_status::ready);
    std::this_thread::sleep_for(milliseconds(30));
    ExpectInterrupted(running, number);
  }
  EXPECT_THAT(layers::ReadFile(trace),
              testing::AllOf(StartsWith("{\"displayTimeUnit\""), EndsWith("]}\n")));
  ExpectNothingLeft();
  ExpectSoundCache();
  EXPECT_TRUE(std::filesystem::is_empty(cache() / "tmp")) << "not cleaned by the next run";
  world_.SetFault(nullptr);
  Succeed(Build());
}

INSTANTIATE_TEST_SUITE_P(
    Signals, Interrupted,
    testing::Combine(
        testing::Values(SIGINT, SIGTERM, SIGHUP),
        testing::Values(
            Point{"Release", "/debian/dists/bookworm/InRelease", support::Hang::kBeforeHead},
            Point{"Packages", "/debian/dists/bookworm/main/", support::Hang::kBeforeBody},
            Point{"Page", "/simple/starlette/", support::Hang::kBeforeHead},
            Point{"Metadata", "/files/starlette-", support::Hang::kBeforeHead},
            Point{"Deb", "/debian/pool/main/s/sed/", support::Hang::kBeforeBody})),
    [](const auto& info) {
      return std::get<1>(info.param).name + std::to_string(std::get<0>(info.param));
    });

// While it works: unpacking, compressing, writing.
TEST_F(BadInput, EndsAtOnceWhileItWorks) {
  const auto begin = steady_clock::now();
  Succeed(Build());
  const auto whole = steady_clock::now() - begin;
  const int signals[] = {SIGINT, SIGTERM, SIGHUP};
  constexpr int kInstants = 9;
  for (int i = 1; i < kInstants; ++i) {
    std::filesystem::remove_all(cache());
    std::filesystem::remove_all(project() / "small.oci");
    std::filesystem::remove(lock());
    Running running(world_, Build());
    std::this_thread::sleep_for(whole * i / kInstants);
    const auto told = steady_clock::now();
    running.Signal(signals[i % 3]);
    const Ended ended = running.Wait();
    EXPECT_LT(steady_clock::now() - told, milliseconds(1000));
    EXPECT_THAT(ended.status, testing::AnyOf(kInterrupted, 0, 128 + signals[i % 3]))
        << ended.output;
    ExpectSoundCache();
    EXPECT_TRUE(std::filesystem::is_empty(cache() / "tmp")) << "not cleaned by the next run";
    Succeed(Build());
  }
}

TEST_F(BadInput, GoesOnWhereHangingUpIsIgnored) {
  Invocation run = Build();
  run.ignored_signal = SIGHUP;
  auto asked = std::make_shared<std::promise<void>>();
  auto once = std::make_shared<std::once_flag>();
  world_.SetFault([asked, once](const ServedRequest&) -> std::optional<ServedResponse> {
    std::call_once(*once, [&] { asked->set_value(); });
    return std::nullopt;
  });
  Running running(world_, run);
  ASSERT_EQ(asked->get_future().wait_for(std::chrono::seconds(30)), std::future_status::ready);
  for (int i = 0; i < 20; ++i) {
    running.Signal(SIGHUP);
    std::this_thread::sleep_for(milliseconds(5));
  }
  EXPECT_EQ(running.Wait().status, 0);
}

}  // namespace
}  // namespace imgbuild::bad_input
