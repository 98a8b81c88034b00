#include "builder/generate/yaml.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace imgbuild::builder {
namespace {

using Json = nlohmann::ordered_json;

TEST(Yaml, IsWrittenInBlocks) {
  const Json value = {{"name", "web"},
                      {"empty", Json::object()},
                      {"none", nullptr},
                      {"words", {"a", "b c"}},
                      {"things", Json::array({{{"x", 1}, {"deep", {{"z", true}}}}, 7})}};
  EXPECT_EQ(RenderYaml(value),
            "name: web\n"
            "empty: {}\n"
            "none: null\n"
            "words: [\"a\", \"b c\"]\n"
            "things:\n"
            "  - x: 1\n"
            "    deep:\n"
            "      z: true\n"
            "  - 7\n");
}

TEST(Yaml, TextsStayTexts) {
  for (const char* text : {"yes", "No", "null", "TRUE", "8888", "1.5", "", "a: b", "- x", "#c",
                           "a b", "~", "*x", "&x", "0x1F", "line\nbreak", "\"q\"", "é", "12:30"}) {
    const std::string yaml = RenderYaml({{"k", text}});
    EXPECT_EQ(yaml, "k: " + Json(text).dump() + "\n");
  }
  for (const char* text : {"Deployment", "/var/lib/db", "localhost/nb", "imgbuild-nb_1.x"}) {
    EXPECT_EQ(RenderYaml({{"k", text}}), std::string("k: ") + text + "\n");
  }
  EXPECT_EQ(RenderYaml({{"80", "x"}, {"on", "y"}}), "\"80\": x\n\"on\": \"y\"\n");
  EXPECT_NO_THROW(RenderYaml({{"k", "\xFF"}}));
}

}  // namespace
}  // namespace imgbuild::builder
