#include "specs/env/spec_edit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "specs/base/error.h"
#include "specs/env/array_text.h"
#include "tests/specs/env/fake_files.h"

namespace imgbuild::specs {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const PackageList kPython{};
const PackageList kSystem{PackageList::Kind::kSystem, ""};
const PackageList kWeb{PackageList::Kind::kLayer, "web"};

std::string Added(const std::string& text, const std::vector<std::string>& packages,
                  const PackageList& list = kPython) {
  return AddPackages(text, "spec.toml", list, packages).text;
}
std::string Removed(const std::string& text, const std::vector<std::string>& names,
                    std::optional<PackageList> list = std::nullopt) {
  return RemovePackages(text, "spec.toml", list, names).text;
}

struct Edit {
  const char* before;
  const char* after;  // with "new" added
};

class AddOne : public testing::TestWithParam<Edit> {};

TEST_P(AddOne, KeepsTheRest) {
  EXPECT_EQ(Added(GetParam().before, {"new"}), GetParam().after);
  const Spec spec = LoadText(GetParam().after).spec;
  EXPECT_EQ(spec.python.layers[0].packages.back(), "new");
}

const Edit kEdits[] = {
    {"[python]\npackages = []  # none\n", "[python]\npackages = [\"new\"]  # none\n"},
    {"[python]\npackages = [\"a\"]\n", "[python]\npackages = [\"a\", \"new\"]\n"},
    {"[python]\npackages = [ \"a\", ]", "[python]\npackages = [ \"a\", \"new\", ]"},
    {"[python]\npackages = ['a', \"b; sys_platform == ']#'\"]\n",
     "[python]\npackages = ['a', \"b; sys_platform == ']#'\", \"new\"]\n"},
    {"[python]\npackages = \"a\" # one\n", "[python]\npackages = [\"a\", \"new\"] # one\n"},
    {"[python]\npackages = [\n  \"a\",  # first\n  \"b\"   # second\n]\n",
     "[python]\npackages = [\n  \"a\",  # first\n  \"b\",   # second\n  \"new\"\n]\n"},
    {"[python]\npackages = [\n\t\"a\",\n\t# last\n]\n",
     "[python]\npackages = [\n\t\"a\",\n\t\"new\",\n\t# last\n]\n"},
    {"[python]\r\npackages = [\r\n  \"a\",\r\n]\r\n",
     "[python]\r\npackages = [\r\n  \"a\",\r\n  \"new\",\r\n]\r\n"},
    {"[python]\npackages = [\n  # what is to come\n]\n",
     "[python]\npackages = [\n  # what is to come\n  \"new\",\n]\n"},
    {"[python]\npackages = [\n  \"a\", \"b\",\n  \"c\"]\n",
     "[python]\npackages = [\n  \"a\", \"b\",\n  \"c\",\n  \"new\"]\n"},
    {"[python]  # ours\nversion = \"3.11\"\n[image]\nname = \"x\"\n",
     "[python]  # ours\npackages = [\"new\"]\nversion = \"3.11\"\n[image]\nname = \"x\"\n"},
    {"[image]\nname = \"x\"", "[image]\nname = \"x\"\n\n[python]\npackages = [\"new\"]\n"},
    {"", "\n[python]\npackages = [\"new\"]\n"},
    {"# é\npython.version = \"3.11\"\n",
     "# é\npython.packages = [\"new\"]\npython.version = \"3.11\"\n"},
    {"python = { version = \"3.11\", packages = [\"a; sys_platform == 'ä'\"] }\n",
     "python = { version = \"3.11\", packages = [\"a; sys_platform == 'ä'\", \"new\"] }\n"},
};

INSTANTIATE_TEST_SUITE_P(SpecEdit, AddOne, testing::ValuesIn(kEdits));

TEST(AddPackages, ToSystemAndLayers) {
  const std::string text =
      "[system]\npackages = [\"git\"]\n\n[[python.layers]]\nname = \"web\"\npackages = [\"x\"]\n";
  EXPECT_THAT(Added(text, {"curl"}, kSystem), HasSubstr("[\"git\", \"curl\"]"));
  EXPECT_THAT(Added(text, {"curl"}, kWeb), HasSubstr("[\"x\", \"curl\"]"));
  EXPECT_THAT(Added("[[python.layers]]\nname = \"web\"\n", {"y"}, kWeb),
              HasSubstr("[[python.layers]]\nname = \"web\"\npackages = [\"y\"]\n"));
}

TEST(AddPackages, ALayerThatIsNewComesBehindPython) {
  EXPECT_EQ(Added("[python]\npackages = [\"a\"]\n\n# What runs.\n[services.x]\ncommand = \"x\"\n",
                  {"b"}, kWeb),
            "[python]\npackages = [\"a\"]\n\n[[python.layers]]\nname = \"web\"\npackages = "
            "[\"b\"]\n\n# What runs.\n[services.x]\ncommand = \"x\"\n");
}

TEST(AddPackages, ToWhatIsExtendedAsAnAddition) {
  const std::string added = Added("extends = \"base.toml\"\n[python]\n", {"b"});
  EXPECT_EQ(added, "extends = \"base.toml\"\n[python]\npackages.append = [\"b\"]\n");
  EXPECT_THAT(Added(added, {"c"}), HasSubstr("packages.append = [\"b\", \"c\"]"));
  const FakeFiles files{{{"spec.toml", added}, {"base.toml", "[python]\npackages = [\"a\"]"}}};
  EXPECT_THAT(files.Load().spec.python.layers[0].packages, ElementsAre("a", "b"));
  EXPECT_THROW(Added("extends = \"base.toml\"\n", {"b"}, kWeb), Error);
}

TEST(AddPackages, ReplacesWhatIsThereWhereverItStands) {
  const std::string text =
      "[python]\npackages = [\"a\"]\n[[python.layers]]\nname = \"web\"\npackages = [\n  "
      "\"Fast_API>=1\",  # why\n]\n";
  const EditedSpec edited = AddPackages(text, "spec.toml", kPython, {"fast-api[x]", "a"});
  EXPECT_THAT(edited.text, HasSubstr("  \"fast-api[x]\",  # why\n"));
  EXPECT_THAT(edited.changes, ElementsAre(PackageChange{kWeb, "fast-api[x]", "Fast_API>=1"}));
  EXPECT_THAT(AddPackages(edited.text, "spec.toml", kWeb, {"a"}).changes, IsEmpty());
  // Requirements that only sometimes count stand beside each other.
  EXPECT_THAT(Added(text, {"a; sys_platform == 'linux'"}),
              HasSubstr("[\"a\", \"a; sys_platform == 'linux'\"]"));
}

TEST(AddPackages, RefusesWhatIsNone) {
  EXPECT_THROW(Added("", {"a b c"}), Error);
  EXPECT_THROW(Added("", {""}), Error);
  EXPECT_THROW(Added("", {"-r x.txt"}), Error);
  EXPECT_THROW(Added("", {"a b"}, kSystem), Error);
  EXPECT_THROW(Added("[python", {"a"}), Error);
  EXPECT_THROW(Added("python = 3\n", {"a"}), Error);
  EXPECT_THROW(Added("[python]\npackages = 3\n", {"a"}), Error);
  EXPECT_THROW(Added("python = { version = \"3.11\" }\n", {"a"}), Error);
}

TEST(RemovePackages, TakesLineAndCommentAlong) {
  const std::string text =
      "[python]\npackages = [\n  \"a\",  # first\n  \"b\",  # second\n  \"c\"  # third\n]\n";
  EXPECT_EQ(Removed(text, {"B"}),
            "[python]\npackages = [\n  \"a\",  # first\n  \"c\"  # third\n]\n");
  EXPECT_EQ(Removed(text, {"c"}),
            "[python]\npackages = [\n  \"a\",  # first\n  \"b\"  # second\n]\n");
  EXPECT_EQ(Removed(text, {"a", "b", "c"}), "[python]\npackages = [\n]\n");
}

TEST(RemovePackages, OfOneLine) {
  const std::string text = "[python]\npackages = [\"a>=1\", 'b', \"c\"] # x\n";
  EXPECT_EQ(Removed(text, {"a"}), "[python]\npackages = ['b', \"c\"] # x\n");
  EXPECT_EQ(Removed(text, {"b"}), "[python]\npackages = [\"a>=1\", \"c\"] # x\n");
  EXPECT_EQ(Removed(text, {"c"}), "[python]\npackages = [\"a>=1\", 'b'] # x\n");
  EXPECT_EQ(Removed("[python]\npackages = [\"a\",]\n", {"a"}), "[python]\npackages = []\n");
  EXPECT_EQ(Removed("[python]\npackages = \"a\"\n", {"a"}), "[python]\npackages = []\n");
  EXPECT_EQ(Removed("[python]\npackages = [\"a\", # x\n  \"b\"]\n", {"b"}),
            "[python]\npackages = [\"a\", # x\n  ]\n");
}

TEST(RemovePackages, FromLayersAndSystem) {
  const std::string text =
      "[system]\npackages = [\"git=1:2\"]\n[[python.layers]]\nname = \"web\"\npackages = "
      "[\"x\"]\n";
  EXPECT_THAT(Removed(text, {"git"}, kSystem), HasSubstr("[system]\npackages = []"));
  EXPECT_THAT(Removed(text, {"x"}), HasSubstr("name = \"web\"\npackages = []"));
  EXPECT_THROW(Removed(text, {"x"}, kPython), Error);
  try {
    (void)Removed("[python]\npackages = [\"pandas\"]", {"pandsa"});
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    EXPECT_THAT(error.hint(), HasSubstr("pandas"));
  }
}

TEST(SpecEdit, TheExamplesComeBackAsTheyWere) {
  const std::string text = R"toml(# Top.
[python] # of Debian
packages = [
  "jupyterlab", "numpy",   # two
  # alone
  "pandas>=2",
]

[[python.layers]]
name = "web"
packages = ["fastapi[standard]", "pip"]
)toml";
  EXPECT_EQ(Removed(Added(text, {"rich", "tqdm"}), {"tqdm", "rich"}), text);
  EXPECT_EQ(Removed(Added(text, {"rich"}, kWeb), {"rich"}), text);
}

// Whatever brackets and quotes there are: no crash, and an end behind the beginning.
TEST(ArrayText, OfAnything) {
  const std::string alphabet = "[]{}\"'#,\n a\\";
  std::uint32_t seed = 7;
  for (int round = 0; round < 20'000; ++round) {
    std::string text = "[";
    for (int i = 0; i < 14; ++i) {
      seed = seed * 1664525 + 1013904223;
      text += alphabet[(seed >> 16) % alphabet.size()];
    }
    if (const auto array = ScanArray(text, 0)) {
      ASSERT_EQ(text[array->end], ']') << text;
      for (std::size_t i = 0; i < array->items.size(); ++i) {
        ASSERT_LT(array->items[i].begin, array->items[i].end) << text;
        if (i + 1 < array->items.size() && array->items[i].comma == std::string::npos) break;
        if (i + 1 == array->items.size()) (void)WithItem(text, *array, "x");
      }
    }
  }
}

TEST(ArrayText, PlacesAreThoseOfTheParser) {
  EXPECT_EQ(OffsetOf("ab\ncä=1", {"", 2, 3}), 6u);
  EXPECT_EQ(OffsetOf("\xEF\xBB\xBF"
                     "a",
                     {"", 1, 1}),
            3u);
  EXPECT_EQ(OffsetOf("a", {"", 2, 1}), std::nullopt);
  EXPECT_EQ(OffsetOf("a", {"", 1, 3}), std::nullopt);
  EXPECT_EQ(OffsetOf("a", {"", 0, 0}), std::nullopt);
}

}  // namespace
}  // namespace imgbuild::specs
