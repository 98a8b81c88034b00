#include "builder/pypi/index_client.h"

#include <fstream>
#include <future>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "builder/pypi/debug_resolve.h"
#include "tests/support/mini_index.h"
#include "tests/support/temp_folder.h"

namespace imgbuild::builder {
namespace {

using support::FakeHttpClient;
using support::MiniIndex;
using support::ServedRequest;
using support::ServedResponse;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class IndexClientTest : public testing::Test {
 protected:
  PageResult Get(const std::string& project) {
    IndexClient client(http, executor, indexes,
                       {.cache_folder = folder.path(), .connectivity = connectivity, .now = now});
    std::promise<PageResult> promise;
    client.Request(project, [&](PageResult result) {
      if (auto* found = std::get_if<FoundPage>(&result)) from = found->index->name;
      promise.set_value(std::move(result));
    });
    return promise.get_future().get();
  }

  static std::string ErrorOf(const PageResult& result) {
    auto* error = std::get_if<specs::Error>(&result);
    return error == nullptr ? "no error" : error->what();
  }

  MiniIndex mini;
  // What is asked goes to the handler with the host still unknown, so that one serves all.
  std::function<ServedResponse(const ServedRequest&)> handler = [this](const auto& request) {
    return mini.Answer(request);
  };
  std::vector<IndexConfig> indexes = {MakeIndex("default", "https://index.example/simple/")};
  Connectivity connectivity = Connectivity::kOnline;
  std::int64_t now = 1'800'000'000;
  std::string from;
  support::TempFolder folder;
  FakeHttpClient http{[this](const ServedRequest& request) { return handler(request); }};
  layers::ThreadExecutor executor{2};
};

TEST_F(IndexClientTest, ReadsJsonAndHtmlByContentType) {
  mini.AddWheel("a", "1.0");
  PageResult json = Get("a");
  mini.form = MiniIndex::Form::kHtml;
  now += 1000;
  PageResult html = Get("a");
  EXPECT_EQ(std::get<FoundPage>(json).page.file(0).url, std::get<FoundPage>(html).page.file(0).url);
  EXPECT_EQ(std::get<FoundPage>(html).page.file(0).url,
            "https://index.example/files/a-1.0-py3-none-any.whl");
  EXPECT_THAT(http.Requests()[0].headers.at("accept"), HasSubstr("simple.v1+json"));
}

TEST_F(IndexClientTest, AFreshPageIsNotAskedForAgain) {
  mini.AddWheel("a", "1.0");
  Get("a");
  now += 599;
  Get("a");
  EXPECT_EQ(http.Asked().size(), 1u);
  now += 2;
  Get("a");
  EXPECT_EQ(http.Asked().size(), 2u);
}

TEST_F(IndexClientTest, HonoursCacheControlAndValidators) {
  mini.AddWheel("a", "1.0");
  mini.page_headers = {{"cache-control", "public, max-age=60"}, {"etag", "\"1\""}};
  Get("a");
  now += 61;
  EXPECT_TRUE(std::holds_alternative<FoundPage>(Get("a")));
  ASSERT_EQ(http.Requests().size(), 2u);
  EXPECT_EQ(http.Requests()[1].headers.at("if-none-match"), "\"1\"");
  now += 59;
  Get("a");
  EXPECT_EQ(http.Requests().size(), 2u);
}

TEST_F(IndexClientTest, OfflineTakesAPageOfAnyAgeAndSaysWhatIsMissing) {
  mini.AddWheel("a", "1.0");
  Get("a");
  now += 1'000'000;
  connectivity = Connectivity::kOffline;
  EXPECT_TRUE(std::holds_alternative<FoundPage>(Get("a")));
  EXPECT_THAT(ErrorOf(Get("b")), HasSubstr("\"b\" on index \"default\" is not in the cache"));
  EXPECT_EQ(http.Asked().size(), 1u);
}

TEST_F(IndexClientTest, DamagedCacheEntriesAreFetchedAnew) {
  mini.AddWheel("a", "1.0");
  Get("a");
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder.path())) {
    if (!entry.is_regular_file()) continue;
    std::filesystem::resize_file(entry.path(), std::filesystem::file_size(entry.path()) - 1);
  }
  EXPECT_TRUE(std::holds_alternative<FoundPage>(Get("a")));
  EXPECT_EQ(http.Asked().size(), 2u);
}

TEST_F(IndexClientTest, AnUnwritableCacheIsOnlyACacheLess) {
  mini.AddWheel("a", "1.0");
  std::filesystem::create_directories(folder.path());
  std::ofstream(folder.path() / "pages") << "a file in the way";
  EXPECT_TRUE(std::holds_alternative<FoundPage>(Get("a")));
}

TEST_F(IndexClientTest, TheFirstIndexThatHasTheProjectWins) {
  indexes.insert(indexes.begin(), MakeIndex("internal", "https://index.example/internal/"));
  indexes[0].packages = {"pinned"};
  mini.AddWheel("public", "1.0");
  mini.AddWheel("pinned", "9.0");
  mini.AddWheel("both", "9.0");
  handler = [this](const ServedRequest& request) {
    if (request.target == "/internal/both/") {
      MiniIndex internal;
      internal.AddWheel("both", "1.0");
      return internal.Answer({.method = "GET", .target = "/simple/both/", .headers = {}});
    }
    return mini.Answer(request);
  };
  PageResult both = Get("both");
  EXPECT_EQ(from, "internal");
  EXPECT_EQ(std::get<FoundPage>(both).page.filename(0), "both-1.0-py3-none-any.whl");
  Get("public");
  EXPECT_EQ(from, "default");
  PageResult pinned = Get("pinned");
  EXPECT_THAT(std::get<NoSuchProject>(pinned).asked, ElementsAre("internal"));
}

TEST_F(IndexClientTest, AFailingIndexIsNeverPassedOver) {
  indexes.insert(indexes.begin(), MakeIndex("internal", "https://index.example/internal/"));
  mini.AddWheel("a", "1.0");
  for (int status : {401, 403, 500, 503}) {
    handler = [&](const ServedRequest& request) {
      if (request.target.starts_with("/internal/")) return ServedResponse{.status = status};
      return mini.Answer(request);
    };
    EXPECT_THAT(ErrorOf(Get("a")), HasSubstr("index \"internal\" answered"));
  }
  EXPECT_THAT(std::get<specs::Error>(PageResult(specs::Error("x"))).hint(), IsEmpty());
}

TEST_F(IndexClientTest, ALackIsAskedForAgainBeforeItIsTold) {
  indexes.insert(indexes.begin(), MakeIndex("internal", "https://index.example/internal/"));
  EXPECT_TRUE(std::holds_alternative<NoSuchProject>(Get("a")));
  mini.AddWheel("a", "1.0");
  EXPECT_TRUE(std::holds_alternative<FoundPage>(Get("a")));
  EXPECT_EQ(from, "default");
  const std::size_t asked = http.Asked().size();
  EXPECT_TRUE(std::holds_alternative<FoundPage>(Get("a")));
  EXPECT_EQ(http.Asked().size(), asked) << "the lack of the first index was not kept";
}

TEST_F(IndexClientTest, FailuresNameTheSettingOfTheIndex) {
  indexes[0].origin = "PIP_INDEX_URL";
  handler = [](const ServedRequest&) { return ServedResponse{.status = 500}; };
  EXPECT_THAT(ErrorOf(Get("a")), HasSubstr("index \"default\" (PIP_INDEX_URL) answered 500"));
  handler = [](const ServedRequest&) {
    return ServedResponse{.headers = {{"content-type", "text/html"}}, .body = "<p><input>"};
  };
  EXPECT_THAT(ErrorOf(Get("b")), HasSubstr("while asking index \"default\" (PIP_INDEX_URL)"));
}

TEST_F(IndexClientTest, CredentialsOfTheUrlBecomeAHeaderAndReachNoMessage) {
  indexes = {MakeIndex("internal", "https://me:s%40cret@index.example/simple/")};
  EXPECT_EQ(indexes[0].url, "https://index.example/simple/");
  mini.expected_authorization = "Basic bWU6c0BjcmV0";
  mini.AddWheel("a", "1.0");
  EXPECT_TRUE(std::holds_alternative<FoundPage>(Get("a")));
  mini.expected_authorization = "other";
  std::string message = ErrorOf(Get("b"));
  EXPECT_THAT(message, HasSubstr("401"));
  EXPECT_THAT(message, testing::Not(HasSubstr("cret")));
}

TEST_F(IndexClientTest, WhatIsNoPageIsAnError) {
  auto answer = [&](std::string type, std::string body) {
    handler = [=](const ServedRequest&) {
      return ServedResponse{.headers = {{"content-type", type}}, .body = body};
    };
    return ErrorOf(Get("a"));
  };
  EXPECT_THAT(answer("text/plain", "hello"), HasSubstr("no simple index page"));
  EXPECT_THAT(answer("", "hello"), HasSubstr("no Content-Type"));
  EXPECT_THAT(answer("application/json", "{"), HasSubstr("malformed JSON"));
  EXPECT_THAT(answer("text/html", "hello"), HasSubstr("not HTML"));
}

class DebugResolveTest : public testing::Test {
 protected:
  std::string Ask(const std::string& lines) {
    std::istringstream in(lines);
    std::ostringstream out;
    RunDebugResolve(
        in, out,
        {.http = http,
         .default_index = [] { return MakeIndex("default", "https://x.example/simple"); },
         .cache_folder = "",
         .now = 1'800'000'000});
    return out.str();
  }

  MiniIndex mini;
  FakeHttpClient http{[this](const ServedRequest& request) { return mini.Answer(request); }};
};

TEST_F(DebugResolveTest, AnswersEachLine) {
  mini.AddWheel("a", "1.0", {.requires_dist = {"B_c>=1"}});
  mini.AddWheel("b.c", "1.5");
  mini.AddWheel("b.c", "2.0rc1");
  EXPECT_EQ(Ask("{\"requirements\": [\"A\"], \"index\": null, \"python\": \"3.12\"}\n\n"
                "{\"requirements\": [\"a\"], \"index\": \"https://y.example/simple/\", "
                "\"prereleases\": \"allow\", \"platform\": \"linux/arm64\"}"),
            "{\"packages\":{\"a\":\"1.0\",\"b-c\":\"1.5\"}}\n"
            "{\"packages\":{\"a\":\"1.0\",\"b-c\":\"2.0rc1\"}}\n");
}

TEST_F(DebugResolveTest, AnswersBadRequestsWithErrors) {
  for (const char* line :
       {"nonsense", "[]", "{}", "{\"requirements\": \"a\"}", "{\"requirements\": [1]}",
        "{\"requirements\": [\"a b c\"]}", "{\"requirements\": [], \"python\": \"2.7\"}",
        "{\"requirements\": [], \"platform\": \"windows/amd64\"}",
        "{\"requirements\": [], \"prereleases\": \"perhaps\"}",
        "{\"requirements\": [], \"exclude_newer\": \"soon\"}", "{\"requirements\": [\"a\"]}",
        "{\"requirements\": [\"a @ https://x.example/a.whl\"]}"}) {
    EXPECT_THAT(Ask(line), testing::StartsWith("{\"error\":")) << line;
  }
  EXPECT_EQ(Ask("{\"requirements\": []}"), "{\"packages\":{}}\n");
}

}  // namespace
}  // namespace imgbuild::builder
