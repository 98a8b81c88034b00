#include "builder/net/redirect.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "specs/base/error.h"

namespace imgbuild::builder {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::Optional;

HttpResponse SentOn(int status, const std::string& location) {
  return {.status = status,
          .headers = {{"Location", location}},
          .body = {},
          .url = "https://a.example/x/y"};
}

TEST(NextUrl, OfReadsAndOfWritesThatStayWrites) {
  for (const int status : {301, 302, 303, 307, 308}) {
    EXPECT_THAT(NextUrl("GET", SentOn(status, "z")), Optional<std::string>("https://a.example/x/z"))
        << status;
    const std::optional<std::string> write = NextUrl("PUT", SentOn(status, "//b.example/"));
    EXPECT_EQ(write, status < 307 ? std::nullopt : std::optional<std::string>("https://b.example/"))
        << status;
  }
  EXPECT_THAT(NextUrl("HEAD", SentOn(302, "http://b.example/?q")),
              Optional<std::string>("http://b.example/?q"));
}

TEST(NextUrl, MayHaveSpaces) {
  EXPECT_THAT(NextUrl("GET", SentOn(302, "https://b.example//x?filename=a b")),
              Optional<std::string>("https://b.example//x?filename=a%20b"));
}

TEST(NextUrl, OtherAnswersStand) {
  for (const int status : {200, 201, 300, 304, 404}) {
    EXPECT_EQ(NextUrl("GET", SentOn(status, "/z")), std::nullopt) << status;
  }
  EXPECT_EQ(NextUrl("GET", SentOn(307, "")), std::nullopt);
}

TEST(NextUrl, LeadsToServersAlone) {
  for (const char* wrong : {"file:///etc/passwd", "FILE:/etc/passwd", "ftp://b.example/x"}) {
    EXPECT_THROW((void)NextUrl("GET", SentOn(302, wrong)), specs::Error) << wrong;
  }
}

TEST(RequireTlsKept, OnceThereItStays) {
  EXPECT_NO_THROW(RequireTlsKept("http://a.example/", "http://b.example/"));
  EXPECT_NO_THROW(RequireTlsKept("http://a.example/", "https://b.example/"));
  EXPECT_NO_THROW(RequireTlsKept("https://a.example/", "HTTPS://b.example/"));
  try {
    RequireTlsKept("https://a.example/x", "http://b.example/y?key=secret");
    ADD_FAILURE() << "no error";
  } catch (const specs::Error& error) {
    EXPECT_THAT(error.message(), HasSubstr("a.example"));
    EXPECT_THAT(error.found(), HasSubstr("http://b.example/y"));
    EXPECT_THAT(error.what(), Not(HasSubstr("secret")));
  }
}

}  // namespace
}  // namespace imgbuild::builder
