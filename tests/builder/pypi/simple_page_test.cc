#include "builder/pypi/simple_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "builder/pypi/simple_html.h"
#include "builder/pypi/simple_json.h"
#include "specs/base/error.h"

namespace imgbuild::builder {
namespace {

constexpr std::string_view kUrl = "https://index.example/simple/a/";
const std::string kHash(64, 'a');

std::string OneFile(const std::string& fields) {
  return R"({"meta": {"api-version": "1.1"}, "name": "a", "files": [{"filename":
      "a-1.0-py3-none-any.whl", "url": "https://files.example/x/a-1.0-py3-none-any.whl")" +
         fields + "}]}";
}

TEST(SimpleJson, ReadsAllThatAFileSays) {
  SimplePage page = ParseSimpleJson(
      OneFile(R"(, "hashes": {"md5": "0", "sha256": ")" + kHash + R"("}, "requires-python": ">=3.8",
        "size": 123, "upload-time": "2026-11-15T21:32:28.5Z", "yanked": "bro\u006ben \"x\"",
        "core-metadata": {"sha256": ")" +
              kHash + R"("}, "future": [{"a": [1, -2.5e3, null]}])"),
      kUrl);
  ASSERT_EQ(page.size(), 1u);
  SimpleFile file = page.file(0);
  EXPECT_EQ(file.filename, "a-1.0-py3-none-any.whl");
  EXPECT_EQ(file.url, "https://files.example/x/a-1.0-py3-none-any.whl");
  EXPECT_EQ(file.sha256, specs::Sha256::Parse(kHash));
  EXPECT_EQ(file.requires_python, ">=3.8");
  EXPECT_EQ(file.size, 123u);
  EXPECT_EQ(file.upload_time, 1'794'778'348'500'000);
  EXPECT_EQ(file.yanked, YankedState::kYes);
  EXPECT_EQ(file.yanked_reason, "broken \"x\"");
  EXPECT_EQ(file.core_metadata, MetadataOffer::kOffered);
  EXPECT_EQ(file.core_metadata_sha256, specs::Sha256::Parse(kHash));
}

TEST(SimpleJson, TakesWhatIsLeftOutOrNull) {
  SimplePage page = ParseSimpleJson(
      OneFile(R"(, "hashes": {}, "requires-python": null, "yanked": false, "size": null,
                 "core-metadata": false, "upload-time": null)"),
      kUrl);
  SimpleFile file = page.file(0);
  EXPECT_FALSE(file.sha256 || file.size || file.upload_time || file.core_metadata_sha256);
  EXPECT_EQ(file.requires_python, "");
  EXPECT_EQ(file.yanked, YankedState::kNo);
  EXPECT_EQ(file.core_metadata, MetadataOffer::kAbsent);
}

TEST(SimpleJson, ResolvesRelativeUrlsAndDropsOtherFiles) {
  SimplePage page = ParseSimpleJson(
      R"({"files": [{"filename": "a-1.tar.gz", "url": "../../f/a-1.tar.gz"},
                    {"filename": "a-1.exe", "url": "x"}, {"url": "x"}, {"filename": "a-2.zip"}]})",
      kUrl);
  ASSERT_EQ(page.size(), 1u);
  EXPECT_EQ(page.file(0).url, "https://index.example/f/a-1.tar.gz");
}

TEST(SimpleJson, RefusesWhatIsNoPage) {
  for (const char* text : {"", "{", "[]", "{}", "nonsense", R"({"files": [}])", R"({"files": [{}})",
                           R"({"files": []} x)", R"({"meta": {"api-version": "2.0"}, "files": []})",
                           R"({"files": [{"filename": "a)", R"({"files": [{"filename": "\q"}]})",
                           R"({"files": [{"filename": "\u12"}]})", R"({"files": [{"a" 1}]})"}) {
    EXPECT_THROW(ParseSimpleJson(text, kUrl), specs::Error) << text;
  }
}

TEST(SimpleJson, BoundsNesting) {
  std::string deep = R"({"x": )" + std::string(100000, '[') + std::string(100000, ']') + "}";
  EXPECT_THROW(ParseSimpleJson(deep, kUrl), specs::Error);
}

TEST(SimpleJson, EveryPrefixIsAnErrorAndNothingWorse) {
  std::string text = OneFile(R"(, "hashes": {"sha256": ")" + kHash + R"("}, "yanked": "a\nb")");
  for (std::size_t size = 0; size < text.size(); ++size) {
    EXPECT_THROW(ParseSimpleJson(std::string_view(text).substr(0, size), kUrl), specs::Error);
  }
}

TEST(Timestamps, AreUtcMicroseconds) {
  EXPECT_EQ(ParseTimestamp("1970-01-01T00:00:01Z"), 1'000'000);
  EXPECT_EQ(ParseTimestamp("1970-01-01T02:00:01.000002+02:00"), 1'000'002);
  EXPECT_EQ(ParseTimestamp("1970-01-02"), 86'400'000'000);
  EXPECT_EQ(ParseTimestamp("1970-01-01T00:00:00.1234567Z"), 123'456);
  for (const char* text : {"", "1970", "1970-13-01", "1970-02-30", "1970-01-01T25:00:00Z",
                           "1970-01-01Tx", "1970-01-01T00:00:00Zjunk"}) {
    EXPECT_EQ(ParseTimestamp(text), std::nullopt) << text;
  }
}

TEST(SimpleHtml, ReadsAnchorsAsThePepsSay) {
  SimplePage page = ParseSimpleHtml(
      R"(<!DOCTYPE html><html><head><meta name="pypi:repository-version" content="1.1">
         <title>Links for a</title></head><body><!-- <a href="no-1.tar.gz">no</a> -->
         <a href="../../f/a-1.0-py3-none-any.whl#sha256=)" +
          kHash + R"("
            data-requires-python="&gt;=3.8, &lt;4" data-yanked="" data-core-metadata='true'
            >a-1.0-py3-none-any.whl</a><br/>
         <A HREF=a-1.0%2Bx.tar.gz data-dist-info-metadata=sha256=)" +
          kHash + R"(>x</A>
         <a>nothing</a><a href="https://elsewhere.example/">home</a></body></html>)",
      kUrl);
  ASSERT_EQ(page.size(), 2u);
  SimpleFile wheel = page.file(0);
  EXPECT_EQ(wheel.url, "https://index.example/f/a-1.0-py3-none-any.whl");
  EXPECT_EQ(wheel.sha256, specs::Sha256::Parse(kHash));
  EXPECT_EQ(wheel.requires_python, ">=3.8, <4");
  EXPECT_EQ(wheel.yanked, YankedState::kYes);
  EXPECT_EQ(wheel.core_metadata, MetadataOffer::kOffered);
  SimpleFile sdist = page.file(1);
  EXPECT_EQ(sdist.filename, "a-1.0+x.tar.gz");
  EXPECT_EQ(sdist.url, "https://index.example/simple/a/a-1.0%2Bx.tar.gz");
  EXPECT_EQ(sdist.core_metadata_sha256, specs::Sha256::Parse(kHash));
}

TEST(SimpleHtml, HonoursBase) {
  SimplePage page =
      ParseSimpleHtml(R"(<base href="https://files.example/x/"><a href="a-1.tar.gz">a</a>)", kUrl);
  EXPECT_EQ(page.file(0).url, "https://files.example/x/a-1.tar.gz");
}

TEST(SimpleHtml, TellsALoginPageFromAnEmptyProject) {
  constexpr char kLogin[] = R"(<html><body><form action="/login"><input name="user">
      <input type="password"></form><a href="/forgotten">Forgot it?</a></body></html>)";
  EXPECT_THROW(ParseSimpleHtml(kLogin, kUrl), specs::Error);
  EXPECT_EQ(ParseSimpleHtml("<html><body><h1>Links for a</h1></body></html>", kUrl).size(), 0u);
  EXPECT_EQ(ParseSimpleHtml(R"(<input name="search"><a href="a-1.tar.gz">a</a>)", kUrl).size(), 1u);
}

TEST(SimpleHtml, SurvivesWhatIsBroken) {
  EXPECT_THROW(ParseSimpleHtml("plain text", kUrl), specs::Error);
  EXPECT_THROW(ParseSimpleHtml(R"(<meta name="pypi:repository-version" content="2.0">)", kUrl),
               specs::Error);
  for (const char* text : {"<", "<a", "<a href", "<a href=", "<a href='", "<a href=\"x", "<p><!--",
                           "<a href='a-1.zip' data-yanked", "<a/////", "<a =x>"}) {
    EXPECT_LE(ParseSimpleHtml(text, kUrl).size(), 1u) << text;
  }
}

TEST(SimplePage, CompactFormRoundTrips) {
  SimplePage page =
      ParseSimpleJson(OneFile(R"(, "size": 7, "requires-python": ">=3.8", "yanked": true)"), kUrl);
  std::string bytes = page.Render();
  std::optional<SimplePage> again = SimplePage::Parse(bytes);
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(*again, page);
  EXPECT_EQ(again->file(0).url, page.file(0).url);
  EXPECT_TRUE(SimplePage::Parse(SimplePage().Render()).has_value());
}

TEST(SimplePage, AnyDamageIsNoticed) {
  std::string bytes = ParseSimpleJson(OneFile(""), kUrl).Render();
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string damaged = bytes;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    EXPECT_FALSE(SimplePage::Parse(damaged).has_value()) << i;
    EXPECT_FALSE(SimplePage::Parse(std::string_view(bytes).substr(0, i)).has_value()) << i;
  }
  EXPECT_FALSE(SimplePage::Parse(bytes + "x").has_value());
}

}  // namespace
}  // namespace imgbuild::builder
