#include "builder/cli/debug/standards.h"

#include <sstream>

#include <gtest/gtest.h>

namespace imgbuild::builder {
namespace {

std::string Ask(int (*verb)(std::istream&, std::ostream&), const std::string& questions) {
  std::istringstream in(questions);
  std::ostringstream out;
  EXPECT_EQ(verb(in, out), 0);
  return out.str();
}

TEST(DebugVerbs, AnswerALineEach) {
  EXPECT_EQ(Ask(RunDebugVersion, "{\"a\":\"1.0a1\",\"b\":\"1\"}\n\n{\"a\":\"2\",\"b\":\"2.0\"}"),
            "{\"order\":-1}\n{\"order\":0}\n");
  EXPECT_EQ(Ask(RunDebugSpecifier,
                "{\"specifier\":\">=1\",\"version\":\"2a1\",\"prereleases\":null}\n"
                "{\"specifier\":\">=1\",\"version\":\"2a1\",\"prereleases\":false}\n"),
            "{\"contains\":true}\n{\"contains\":false}\n");
  EXPECT_EQ(Ask(RunDebugMarker,
                "{\"marker\":\"os_name == 'nt'\",\"environment\":{\"os_name\":\"nt\"}}\n"
                "{\"marker\":\"sys_platform == 'linux'\",\"environment\":null}\n"),
            "{\"result\":true}\n{\"result\":true}\n");
  EXPECT_EQ(Ask(RunDebugRequirement, "{\"requirement\":\"A[z,b] <2,>=1 ; os.name=='x'\"}"),
            "{\"extras\":[\"b\",\"z\"],\"marker\":\"os_name == \\\"x\\\"\",\"name\":\"A\","
            "\"specifier\":\"<2,>=1\",\"url\":null}\n");
}

TEST(DebugVerbs, AnswerBadQuestionsToo) {
  for (const char* question : {"nonsense", "[1]", "{}", "{\"a\":1,\"b\":\"1\"}",
                               "{\"a\":\"x\",\"b\":\"1\"}", "\"\\ud800\""}) {
    EXPECT_TRUE(Ask(RunDebugVersion, question).starts_with("{\"error\":")) << question;
  }
  EXPECT_TRUE(Ask(RunDebugRequirement, "{\"requirement\":\"é\"}").starts_with("{\"error\":"));
  EXPECT_TRUE(Ask(RunDebugMarker, "{\"marker\":\"os_name ~= 'a'\",\"environment\":{}}")
                  .starts_with("{\"error\":"));
}

}  // namespace
}  // namespace imgbuild::builder
