#include "builder/pypi/release_book.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "builder/pypi/index_client.h"
#include "tests/support/mini_index.h"

namespace imgbuild::builder {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

specs::SpecifierSet Range(const std::string& text) {
  return std::get<specs::Requirement>(specs::Requirement::Parse("x" + text)).specifier;
}

class ReleaseBookTest : public testing::Test {
 protected:
  ReleaseBookTest() {
    index_.AddWheel("kit", "12.9.1", {.provides_extra = {"all", "blas"}});
    index_.AddWheel("kit", "13.0.0", {.provides_extra = {"all", "blas"}});
    index_.AddWheel("kit", "13.0.2.0", {.provides_extra = {"all", "Blas", "crt"}});
    index_.AddWheel("kit", "13.0.3", {}, "cp311-cp311-win_amd64");
    index_.AddWheel("kit", "13.1.0rc1");
    index_.AddSdist("kit", "14.0");
  }

  ReleaseBook Book() {
    return ReleaseBook(input_, {.http = http_,
                                .indexes = {MakeIndex("default", "https://index.example/simple")},
                                .now = 1'800'000'000});
  }

  support::MiniIndex index_;
  support::FakeHttpClient http_{[this](const auto& request) { return index_.Answer(request); }};
  ResolveInput input_{.target = MakeTarget("3.11.2", {specs::Architecture::kAmd64})};
};

TEST_F(ReleaseBookTest, HasWhatCouldBeChosen) {
  ReleaseBook book = Book();
  EXPECT_THAT(book.Versions("kit"), ElementsAre("12.9.1", "13.0.0", "13.0.2.0"));
  EXPECT_THAT(book.Versions("other"), IsEmpty());
  EXPECT_EQ(book.Newest("kit", Range("==13.0.*")), "13.0.2.0");
  EXPECT_EQ(book.Newest("kit", Range("==13.0.1.*")), "");
  EXPECT_EQ(book.Newest("other", Range("==13.0.*")), "");
}

TEST_F(ReleaseBookTest, FollowsWhatTheResolutionFollows) {
  input_.prereleases = Prereleases::kAllow;
  EXPECT_EQ(Book().Newest("kit", Range(">=13")), "13.1.0rc1");
  input_.prereleases = Prereleases::kIfNecessary;
  input_.exclude_newer = ParseExcludeNewer("2020-01-01");
  EXPECT_THAT(Book().Versions("kit"), IsEmpty());  // files that do not say when they came
}

TEST_F(ReleaseBookTest, ReadsTheExtrasOfEachRelease) {
  EXPECT_THAT(Book().Extras("kit", {"12.9.1", "13.0.2.0"}),
              ElementsAre(Pair("12.9.1", ElementsAre("all", "blas")),
                          Pair("13.0.2.0", ElementsAre("all", "blas", "crt"))));
}

TEST_F(ReleaseBookTest, AnIndexThatFailsIsNoMissingProject) {
  support::FakeHttpClient broken(
      [](const auto&) { return support::ServedResponse{.status = 503}; });
  ReleaseBook book(input_, {.http = broken,
                            .indexes = {MakeIndex("default", "https://index.example/simple")},
                            .now = 1'800'000'000});
  EXPECT_THROW((void)book.Versions("kit"), specs::Error);
}

}  // namespace
}  // namespace imgbuild::builder
