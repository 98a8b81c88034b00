#include "specs/python/marker.h"

#include <gtest/gtest.h>

namespace imgbuild::specs {
namespace {

const Platform kAmd64{Architecture::kAmd64};

Marker M(std::string_view text) {
  auto parsed = Marker::Parse(text);
  auto* error = std::get_if<SyntaxError>(&parsed);
  EXPECT_EQ(error, nullptr) << text << ": " << error->message;
  return std::get<Marker>(std::move(parsed));
}

bool Holds(std::string_view text, const MarkerEnvironment& environment) {
  auto result = M(text).Evaluate(environment);
  EXPECT_TRUE(std::holds_alternative<bool>(result)) << text;
  return std::get<bool>(result);
}

TEST(Marker, HoldsInAnImage) {
  MarkerEnvironment image = ImageEnvironment("3.11.2", kAmd64);
  for (const char* text : {"python_version == '3.11'",
                           "python_version >= '3.8' and sys_platform == 'linux'",
                           "python_version < '3.9' or os_name == 'posix'",
                           "'3.8' < python_version",
                           "python_full_version > '3.11.1'",
                           "python_version == '3.*'",
                           "platform_machine == 'x86_64'",
                           "python_version in '3.10, 3.11'",
                           "python_version not in '3.9'",
                           "'linux' in sys_platform",
                           "platform_python_implementation == 'CPython'",
                           "python_implementation == 'CPython'",
                           "os.name == \"posix\"",
                           "extra == ''",
                           "python_version ~= '3.8'",
                           "implementation_version === '3.11.2'",
                           "(python_version >= '3')",
                           "sys_platform >= 'linux'",
                           "platform_release == ''",
                           "python_version < '=3.11'"}) {
    EXPECT_TRUE(Holds(text, image)) << text;
  }
  for (const char* text :
       {"python_version > '3.11'", "sys_platform == 'win32'", "sys_platform < 'zzz'",
        "platform_machine == 'aarch64'", "extra == 'test'", "platform_release >= '5'",
        "python_version >= 'three'",
        "sys_platform == 'win32' and (python_version >= '3' or os_name == 'posix')"}) {
    EXPECT_FALSE(Holds(text, image)) << text;
  }
  EXPECT_TRUE(Holds("platform_machine == 'aarch64'",
                    ImageEnvironment("3.13.5", Platform{Architecture::kArm64})));
  EXPECT_EQ(ImageEnvironment("3.13.5", kAmd64).python_version, "3.13");
}

TEST(Marker, BindsAndTighterThanOr) {
  MarkerEnvironment image = ImageEnvironment("3.11.2", kAmd64);
  EXPECT_TRUE(Holds("os_name == 'posix' or os_name == 'x' and os_name == 'y'", image));
  EXPECT_FALSE(Holds("(os_name == 'posix' or os_name == 'x') and os_name == 'y'", image));
}

TEST(Marker, TakesExtrasInAnySpelling) {
  MarkerEnvironment image = ImageEnvironment("3.11.2", kAmd64);
  Marker marker = M("extra == 'Dev_Tools' and python_version >= '3'");
  EXPECT_EQ(marker.Evaluate(image, "dev.tools"), (std::variant<bool, MarkerError>(true)));
  EXPECT_EQ(marker.Evaluate(image), (std::variant<bool, MarkerError>(false)));
  EXPECT_TRUE(marker.MentionsExtra());
  EXPECT_FALSE(M("python_version >= '3'").MentionsExtra());
  image.extras = {"Dev_Tools"};
  EXPECT_TRUE(Holds("'dev-tools' in extras", image));
}

TEST(Marker, SaysWhatIsUndefined) {
  MarkerEnvironment image = ImageEnvironment("3.11.2", kAmd64);
  for (const char* text : {"os_name ~= 'posix'", "os_name === 'posix'", "'a' in extras",
                           "'a' == 'b'", "os_name == 'posix' or os_name ~= 'x'"}) {
    EXPECT_TRUE(std::holds_alternative<MarkerError>(M(text).Evaluate(image))) << text;
  }
  image.extra.reset();
  EXPECT_TRUE(std::holds_alternative<MarkerError>(M("extra == 'a'").Evaluate(image)));
}

TEST(Marker, RendersNormalized) {
  const std::pair<const char*, const char*> kCases[] = {
      {"os.name=='a'and(sys_platform=='b'  or extra=='X_y')",
       "os_name == \"a\" and (sys_platform == \"b\" or extra == \"x-y\")"},
      {"((os_name == 'a'))", "os_name == \"a\""},
      {"os_name == 'say \"hi\"'", "os_name == 'say \"hi\"'"},
      {"os_name not  in 'a\\x41'", "os_name not in \"aA\""},
      {"(os_name == 'a' or os_name == 'b')", "os_name == \"a\" or os_name == \"b\""}};
  for (const auto& [text, normal] : kCases) {
    EXPECT_EQ(M(text).Render(), normal);
    EXPECT_EQ(M(normal), M(text));
  }
}

TEST(Marker, RefusesWithAPlace) {
  for (const char* text : {"", "os_name", "os_name ==", "os_name = 'a'", "os_name == 'a' and",
                           "(os_name == 'a'", "os_name == 'a')", "os_name == 'a", "foo == 'a'",
                           "os_name notin 'a'", "os_name == 'a' xor os_name == 'b'",
                           "os_name == 'a\\'", "os_name == 'a\nb'", "os_namex == 'a'"}) {
    EXPECT_TRUE(std::holds_alternative<SyntaxError>(Marker::Parse(text))) << text;
  }
  EXPECT_EQ(std::get<SyntaxError>(Marker::Parse("os_name == linux")),
            (SyntaxError{"expected a marker variable or a quoted string, found \"linux\"", 11}));
  std::string deep(100'000, '(');
  EXPECT_TRUE(std::holds_alternative<SyntaxError>(Marker::Parse(deep)));
}

}  // namespace
}  // namespace imgbuild::specs
