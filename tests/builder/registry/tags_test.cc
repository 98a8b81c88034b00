#include "builder/registry/tags.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "builder/registry/pages.h"
#include "specs/base/error.h"
#include "specs/oci/media_types.h"
#include "tests/builder/registry/registry_fixture.h"

namespace imgbuild::builder {
namespace {

using support::MiniRegistry;
using support::ServedRequest;
using support::ServedResponse;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Optional;

class TagsTest : public RegistryFixture {
 protected:
  TagsTest() {
    for (const char* tag : {"v1", "v2"}) server_.PutManifest("team/app", tag, one_, kType);
    server_.PutManifest("team/app", "v3", two_, kType);
  }

  void Answer(const ServedResponse& answer) {
    server_.AnswerBy([=](std::size_t, const ServedRequest&) { return answer; });
  }

  const std::string kType = std::string(specs::kOciManifest);
  const std::string one_ = R"({"config":{}})";
  const std::string two_ = R"({"config":{} })";
  MiniRegistry server_;
  Registry registry_ = Open(server_, {}, "team/app", Access::kDelete);
};

TEST_F(TagsTest, ListsThem) {
  EXPECT_THAT(ListTags(registry_), ElementsAre("v1", "v2", "v3"));
  EXPECT_THAT(TagsThatLeadTo(registry_, specs::HashOf(one_), ListTags(registry_)),
              ElementsAre("v1", "v2"));
}

TEST_F(TagsTest, ThoseOfAManifestAsFarAsTheyCanBeTold) {
  const specs::Sha256 one = specs::HashOf(one_);
  EXPECT_THAT(FindTagsOf(registry_, one, 3), Optional(ElementsAre("v1", "v2")));
  EXPECT_EQ(FindTagsOf(registry_, one, 2), std::nullopt);
  Answer({.status = 403});
  EXPECT_EQ(FindTagsOf(registry_, one, 3), std::nullopt);
}

TEST_F(TagsTest, InPages) {
  server_.AnswerBy([](std::size_t, const ServedRequest& request) -> std::optional<ServedResponse> {
    if (request.target.find("last=b") != std::string::npos) {
      return ServedResponse{.body = R"({"tags":["c","b","A"]})"};
    }
    // Two headers, of which a proxy put the first there.
    return ServedResponse{.headers = {{"Link",
                                       "</style.css>; rel=preload\r\n"
                                       R"(Link: </v2/team/app/tags/list?last=b&n=2>; rel="next")"}},
                          .body = R"({"tags":["b","a"]})"};
  });
  EXPECT_THAT(ListTags(registry_), ElementsAre("A", "a", "b", "c"));
}

TEST_F(TagsTest, PagesThatLeadAstrayEnd) {
  for (const char* link : {R"(<http://other.example/v2/x>; rel="next")",
                           R"(</v2/team/app/tags/list?n=1000>; rel="next")"}) {
    Answer({.headers = {{"Link", link}}, .body = R"({"tags":["a"]})"});
    EXPECT_THROW((void)ListTags(registry_), specs::Error) << link;
  }
  EXPECT_LE(server_.requests().size(), 6u);
  EXPECT_EQ(NextLink(R"(<a>; rel="prev", <b>; title=x; rel="next")"), "b");
  EXPECT_EQ(NextLink(R"(<a>; rel=next)"), "a");
  for (const char* none : {"", "<a>", "<a>; rel=\"prev\"", "a; rel=\"next\"", "<a", ">a<"}) {
    EXPECT_EQ(NextLink(none), "") << none;
  }
}

TEST_F(TagsTest, AnswersThatAreNoListAreErrors) {
  for (const char* body : {"", "[]x", "<html>", R"({"tags":[7]})", R"({"tags":"a"})",
                           R"({"tags":["../a"]})", R"({"tags":["\u001b[2J"]})"}) {
    Answer({.body = body});
    EXPECT_THROW((void)ListTags(registry_), specs::Error) << body;
  }
  Answer({.body = R"({"name":"team/app","tags":null})"});
  EXPECT_TRUE(ListTags(registry_).empty());
  Answer({.status = 404});
  EXPECT_THROW((void)ListTags(registry_), specs::Error);
}

TEST_F(TagsTest, DeletingATagSaysWhetherItCould) {
  Answer({.status = 202});
  EXPECT_EQ(DeleteTag(registry_, "v1"), TagDeletion::kDeleted);
  Answer({.status = 404});
  EXPECT_EQ(DeleteTag(registry_, "v1"), TagDeletion::kUnknown);
  for (int status : {400, 405}) {
    Answer({.status = status});
    EXPECT_EQ(DeleteTag(registry_, "v1"), TagDeletion::kUnsupported);
  }
  Answer({.status = 403});
  EXPECT_THROW((void)DeleteTag(registry_, "v1"), specs::Error);
  EXPECT_EQ(server_.requests().back().method, "DELETE");
}

TEST_F(TagsTest, DeletingAManifestTakesItsTags) {
  EXPECT_TRUE(DeleteManifest(registry_, specs::HashOf(one_)));
  EXPECT_THAT(ListTags(registry_), ElementsAre("v3"));
  EXPECT_FALSE(DeleteManifest(registry_, specs::HashOf(one_)));
  Answer({.status = 405, .body = R"({"errors":[{"code":"UNSUPPORTED","message":"no"}]})"});
  try {
    (void)DeleteManifest(registry_, specs::HashOf(two_));
    ADD_FAILURE();
  } catch (const specs::Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("does not let anything be deleted"));
  }
}

}  // namespace
}  // namespace imgbuild::builder
