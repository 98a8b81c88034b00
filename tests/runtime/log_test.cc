// Forms of the log, and that nothing of it is lost.
#include <chrono>
#include <regex>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "runtime/log_format.h"
#include "tests/runtime/init_process.h"
#include "tests/runtime/scripts.h"

namespace imgbuild::runtime {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

struct TextSink final : LogSink {
  void Put(const char* bytes, std::size_t size) override { text.append(bytes, size); }
  std::string text;
};

std::string Json(const std::string& message) {
  TextSink sink;
  const LogSource source{"web"};
  FormatLine(LogFormat::kJson, source, LogStream::kOut, message.data(), message.size(), sink);
  EXPECT_LE(sink.text.size(),
            LineOverhead(LogFormat::kJson, source) + message.size() * ByteCost(LogFormat::kJson));
  const std::string key = "\"message\":\"";
  const std::size_t at = sink.text.find(key) + key.size();
  return sink.text.substr(at, sink.text.size() - at - 3);
}

TEST(LogFormat, EscapesForJson) {
  EXPECT_EQ(Json("plain"), "plain");
  EXPECT_EQ(Json(""), "");
  EXPECT_EQ(Json("\"\\\t\r\x01\x1f\x7f"), "\\\"\\\\\\t\\r\\u0001\\u001f\x7f");
  EXPECT_EQ(Json("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80"),
            "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80");
}

TEST(LogFormat, ReplacesWhatIsNoUtf8) {
  const std::string bad = "\xEF\xBF\xBD";
  EXPECT_EQ(Json("a\xff"
                 "b"),
            "a" + bad + "b");
  EXPECT_EQ(Json("\xc3"), bad);                                // cut
  EXPECT_EQ(Json("\xc0\xaf"), bad + bad);                      // overlong
  EXPECT_EQ(Json("\xed\xa0\x80"), bad + bad + bad);            // a surrogate
  EXPECT_EQ(Json("\xf4\x90\x80\x80"), bad + bad + bad + bad);  // beyond U+10FFFF
  EXPECT_EQ(Json("\xe2\x82"), bad + bad);
}

TEST(Log, IsJsonWhereAskedFor) {
  InitProcess init(TableOf(Script("a", "echo 'say \"hi\"'; echo oops >&2; exit 3",
                                  "restart never\nessential\nannounce open http://x/\n")),
                   {}, {"IMGBUILD_LOG=json"});
  EXPECT_EQ(init.WaitForExit(), 3);
  const std::string time = R"("time":"20\d\d-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-6]\d\.\d{3}Z")";
  for (const char* rest :
       {R"("service":"a","stream":"stdout","message":"say \\"hi\\"")",
        R"("service":"a","stream":"stderr","message":"oops")",
        R"("service":"a","stream":"supervisor","message":"open http://x/")",
        R"("service":"a","stream":"supervisor","message":"exited with status 3")"}) {
    std::string pattern = rest;
    for (std::size_t at = 0; (at = pattern.find("\\\"", at)) != std::string::npos; at += 4) {
      pattern.replace(at, 2, "\\\\\"");
    }
    EXPECT_TRUE(
        std::regex_search(init.output(), std::regex("\\{" + time + "," + pattern + "\\}\n")))
        << pattern << "\n"
        << init.output();
  }
}

TEST(Log, TimesAreThoseOfTheClock) {
  InitProcess init(TableOf(Script("a", "date -u +now=%Y-%m-%dT%H:%M", "restart never\n")), {},
                   {"IMGBUILD_LOG=json"});
  EXPECT_EQ(init.WaitForExit(), 0);
  const std::size_t said = init.output().find("now=");
  ASSERT_NE(said, std::string::npos);
  const std::string now = init.output().substr(said + 4, 16);
  EXPECT_THAT(init.output(), HasSubstr("{\"time\":\"" + now));
}

TEST(Log, NamesHaveColoursOnATerminalOnly) {
  const std::string table = TableOf(Script("web", "echo hello", "restart never\n"));
  const auto output = [&](std::vector<std::string> env, bool terminal) {
    InitSetup setup;
    setup.terminal = terminal;
    InitProcess init(table, {}, std::move(env), setup);
    EXPECT_EQ(init.WaitForExit(), 0);
    return init.output();
  };
  EXPECT_THAT(output({}, false), AllOf(HasSubstr("[web] hello\n"), Not(HasSubstr("\033"))));
  EXPECT_TRUE(
      std::regex_search(output({}, true), std::regex("\033\\[\\d\\dm\\[web\\]\033\\[0m hello")));
  EXPECT_THAT(output({"NO_COLOR=1"}, true), Not(HasSubstr("\033")));
  EXPECT_THAT(output({"TERM=dumb"}, true), Not(HasSubstr("\033")));
  EXPECT_THAT(output({"IMGBUILD_LOG=plain"}, true), Not(HasSubstr("\033")));
  EXPECT_THAT(output({"IMGBUILD_LOG=colour"}, false), HasSubstr("\033"));
}

// Lines of a service, numbered; which of them came, in order.
std::vector<std::size_t> Numbers(const std::string& output, const std::string& prefix) {
  std::vector<std::size_t> numbers;
  for (std::size_t at = 0; (at = output.find(prefix, at)) != std::string::npos;) {
    at += prefix.size();
    numbers.push_back(std::stoul(output.substr(at, 12)));
  }
  return numbers;
}

TEST(Log, LosesNothingOfTwoServicesThatWriteMuch) {
  constexpr std::size_t kLines = 200'000;
  // 100 bytes a line, written as fast as it goes.
  const std::string script =
      "i=0; exec seq -f '%.0f " + std::string(90, 'x') + "' 1 " + std::to_string(kLines);
  InitProcess init(
      TableOf(Script("one", script, "restart never\n") + Script("two", script, "restart never\n")),
      {});
  EXPECT_EQ(init.WaitForExit(), 0);
  for (const char* prefix : {"[one] ", "[two] "}) {
    const std::vector<std::size_t> numbers = Numbers(init.output(), prefix);
    ASSERT_EQ(numbers.size(), kLines) << prefix;
    for (std::size_t i = 0; i < kLines; ++i) ASSERT_EQ(numbers[i], i + 1) << prefix;
  }
}

TEST(Log, WorksWithClosedStandardDescriptors) {
  for (const std::vector<int>& closed : std::vector<std::vector<int>>{{0}, {1}, {2}, {0, 1, 2}}) {
    InitSetup setup;
    setup.closed = closed;
    char flag[] = "/tmp/imgbuild-log-test-XXXXXX";
    close(mkstemp(flag));
    const std::string script = "echo out; echo err >&2; echo end >>" + std::string(flag);
    InitProcess init(TableOf(Script("a", script, "restart never\nready tcp 9 50\n")), {}, {},
                     setup);
    EXPECT_EQ(init.WaitForExit(), 0);
    char text[16] = {};
    FILE* file = fopen(flag, "r");
    EXPECT_EQ(fread(text, 1, sizeof text, file), 4u);
    fclose(file);
    unlink(flag);
    EXPECT_STREQ(text, "end\n");
  }
}

TEST(Log, AnOutputThatIsGoneEndsNothing) {
  // Its reader leaves at once: writing to the pipe fails from then on.
  InitProcess init(TableOf(Script("a", "sleep 0.3; seq 1 100000; exit 6", "restart never\n")), {});
  init.CloseOutput();
  EXPECT_EQ(init.WaitForExit(), 6);
}

}  // namespace
}  // namespace imgbuild::runtime
