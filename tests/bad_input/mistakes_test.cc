// What people write and type wrongly.
#include <filesystem>
#include <mutex>
#include <optional>

#include <gmock/gmock.h>

#include "tests/bad_input/bad_input_fixture.h"

namespace imgbuild::bad_input {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

struct Mistake {
  std::string name;
  std::vector<std::string> arguments;
  std::string part;
  int status = kUsage;
};

void PrintTo(const Mistake& mistake, std::ostream* stream) { *stream << mistake.name; }

class CommandLine : public BadInput, public testing::WithParamInterface<Mistake> {};

TEST_P(CommandLine, IsOneErrorLikeEveryOther) {
  std::filesystem::create_directories(project() / "folder");
  const std::string output = Fail(Command(GetParam().arguments), GetParam().status);
  EXPECT_THAT(output, StartsWith("error: "));
  EXPECT_THAT(output, HasSubstr(GetParam().part));
  EXPECT_EQ(world_.requests(), 0u);
}

// Before the command is known, once it runs, and after other events.
TEST_F(BadInput, ProgramsAreToldOfAnErrorAsText) {
  Write("bad.toml", "format = 7\n");
  for (const auto& arguments :
       std::vector<std::vector<std::string>>{{"--json", "biuld"},
                                             {"build", "bad.toml", "--json"},
                                             {"build", "none.toml", "--json"}}) {
    const std::string output = Fail(Command(arguments), kUsage);
    EXPECT_THAT(output, HasSubstr("error: ")) << arguments[0];
    EXPECT_THAT(
        output,
        testing::ContainsRegex(
            "(^|\n)[{]\"event\":\"error\",\"kind\":\"usage\",\"message\":.*,\"exit\":2}\n"));
  }
  EXPECT_EQ(Fail(Command({"build", "none.toml"}), kUsage).find("{\"event\""), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(
    All, CommandLine,
    testing::Values(
        Mistake{"Nothing", {}, "expected: init, build, lock"},
        Mistake{"Command", {"biuld", "small.toml"}, "did you mean \"build\"?"},
        Mistake{"UnknownCommand", {"make"}, "imgbuild has no command make"},
        Mistake{"SubCommand", {"cache", "verfy"}, "did you mean \"verify\"?"},
        Mistake{"NoSubCommand", {"cache"}, "the command is missing"},
        Mistake{"Option", {"build", "--lokced"}, "did you mean \"--locked\"?"},
        Mistake{"OptionWithValue", {"build", "--compresion=gzip"}, "\"--compression\""},
        Mistake{"UnknownOption", {"build", "--frobnicate"}, "see imgbuild build --help"},
        Mistake{"Superfluous", {"cache", "verify", "now"}, "takes no \"now\""},
        Mistake{"NoValue", {"build", "-o"}, "hint: see imgbuild build --help"},
        Mistake{"Jobs", {"build", "-j", "many", "small.toml"}, "\"many\" is no number"},
        Mistake{"NegativeJobs", {"build", "--jobs=-1"}, "\"-1\" is no number from 1"},
        Mistake{"Compression", {"build", "small.toml", "--compression", "xz"}, "zstd or gzip"},
        Mistake{"Platform", {"build", "small.toml", "--platform", "linux/x86"}, "--platform"},
        Mistake{"Transport", {"build", "small.toml", "-o", "tar:x"}, "oci-archive:FILE"},
        Mistake{"Detached", {"up", "small.toml", "-d", "--watch"}, "--detach leaves"},
        Mistake{"Terminal", {"up", "small.toml", "--shell", "--open"}, "--open and --watch"},
        Mistake{"Generate", {"generate"}, "the command is missing"},
        Mistake{"NoServices", {"generate", "compose", "small.toml"}, "small has no services"},
        Mistake{"Preset", {"presets", "fasthtm"}, "did you mean \"fasthtml\"?"},
        Mistake{"Setting", {"build", "small.toml", "--set", "cuda"}, "KEY=VALUE"},
        Mistake{"Spec", {"build", "smal.toml"}, "did you mean small.toml?"},
        Mistake{"Ending", {"build", "small"}, "did you mean small.toml?"},
        Mistake{"Folder", {"build", "folder"}, "folder/spec.toml"},
        Mistake{"Trace", {"build", "small.toml", "--trace", "no/t.json"}, "no/t.json", kFailure},
        Mistake{"TraceOverSpec", {"build", "--trace", "small.toml"}, "which is no trace"},
        Mistake{"DefaultSpec", {"build"}, "there is no spec spec.toml"}),
    [](const auto& mistake) { return mistake.param.name; });

// The spec after an edit.
struct Slip {
  std::string name;
  std::function<std::string(std::string)> edit;
  std::vector<std::string> parts;
  int status = kUsage;
};

void PrintTo(const Slip& slip, std::ostream* stream) { *stream << slip.name; }

std::function<std::string(std::string)> Replacing(std::string what, std::string with) {
  return [what, with](std::string text) {
    const std::size_t at = text.find(what);
    if (at == text.npos) throw std::runtime_error("the spec has no " + what);
    return text.replace(at, what.size(), with);
  };
}

std::string InUtf16(const std::string& text) {
  std::string wide = "\xFF\xFE";
  for (char c : text) wide += std::string{c, '\0'};
  return wide;
}

class WrittenSpec : public BadInput, public testing::WithParamInterface<Slip> {};

TEST_P(WrittenSpec, IsOneErrorWithItsPlace) {
  Write("small.toml", GetParam().edit(kSpec));
  const std::string output = Fail(Build(), GetParam().status);
  for (const std::string& part : GetParam().parts) EXPECT_THAT(output, HasSubstr(part));
  ExpectSoundCache();
  Write("small.toml", kSpec);
  Succeed(Build());
}

const char kPackages[] = "packages = [\"fastapi\"]";

INSTANTIATE_TEST_SUITE_P(
    All, WrittenSpec,
    testing::Values(
        Slip{"Syntax", Replacing("[image]", "[image"), {"small.toml:2:7"}},
        Slip{"BareText", Replacing("\"small\"", "small"), {"small.toml:3:8", "texts need quotes"}},
        Slip{"OpenText", Replacing("\"small\"", "\"small"), {"small.toml:3:"}},
        Slip{"Twice", Replacing(kPackages, "packages = []\npackages = []"), {"small.toml:10:"}},
        Slip{"Utf16", InUtf16, {"UTF-8"}},
        Slip{"Latin1", Replacing("\"small\"", "\"sm\xE4ll\""), {"small.toml:3:", "UTF-8"}},
        Slip{"Zeros", [](const auto&) { return std::string(5000, '\0'); }, {"small.toml:1:"}},
        Slip{"Huge",
             [](const auto&) { return std::string(20'000'000, '#'); },
             {"too large"},
             kFailure},
        Slip{"Key", Replacing("packages", "pakages"), {"small.toml:9:1", "\"packages\"?"}},
        Slip{"Section", Replacing("[python]", "[pyhton]"), {"small.toml:7:", "\"python\"?"}},
        Slip{"Type", Replacing(kPackages, "packages = 3"), {"small.toml:9:12", "expected"}},
        Slip{"Number", Replacing("\"3.11\"", "3.11"), {"small.toml:8:", "expected a string"}},
        Slip{"Version", Replacing("\"3.11\"", "\"3.12\""), {"\"3.11\" (bookworm)"}},
        Slip{"Architecture", Replacing("linux/amd64", "linux/amd65"), {"did you mean"}},
        Slip{"RequirementsFile",
             Replacing("\"fastapi\"", "\"requirements.txt\""),
             {"requirements = [\"requirements.txt\"]"}},
        Slip{"SingleEquals", Replacing("\"fastapi\"", "\"fastapi=1\""), {"\"fastapi==1\"?"}},
        Slip{"MissingPackage",
             Replacing("\"fastapi\"", "\"starlete\""),
             {"starlete was not found in index default", "did you mean \"starlette\"?"},
             kUnresolvable},
        Slip{"MissingDeb",
             Replacing("[python]", "packages = [\"tzdta\"]\n[python]"),
             {"tzdta", "did you mean \"tzdata\""},
             kUnresolvable},
        Slip{"Unsatisfiable",
             Replacing("\"fastapi\"", "\"fastapi\", \"starlette<0.36\""),
             {"starlette<0.36, of which there is no release"},
             kUnresolvable},
        Slip{"NoSuchVersion",
             Replacing("\"fastapi\"", "\"fastapi>=7\""),
             {"fastapi>=7"},
             kUnresolvable},
        Slip{"CudaThatTheIndexLacks",
             Replacing("[python]", "[cuda]\nenabled = true\nversion = \"13.0\"\n[python]"),
             {"no index has cuda-toolkit, which says what CUDA 13.0 consists of",
              "[[python.indexes]]"},
             kUnresolvable},
        Slip{"KeyringThatIsMissing",
             Replacing("archive.gpg", "nowhere.gpg"),
             {"small.toml:6:1: there is no file nowhere.gpg"}},
        Slip{"TimeZone",
             Replacing("[system]", "env = { TZ = \"Europe/Ber lin\" }\n[system]"),
             {"small.toml:5:9: TZ is"}},
        Slip{"KeyringThatIsNone",
             Replacing("archive.gpg", "small.toml"),
             {"small.toml"},
             kVerification}),
    [](const auto& mistake) { return mistake.param.name; });

// With their places, all at once and before anybody is asked.
TEST_F(BadInput, FilesOfThisMachineThatAreMissing) {
  std::string text = Replacing("[python]", "certificates = [\"corp.crt\"]\n[python]")(kSpec);
  text = Replacing("\"fastapi\"", "\"fastapi\", \"none-1-py3-none-any.whl\"")(text);
  text += "[[files]]\nfrom = \"nodir\"\nto = \"srv\"\n";
  Write("small.toml", text);
  for (const char* command : {"build", "lock", "plan", "up"}) {
    const std::string output = Fail(Command({command, "small.toml"}), kUsage);
    for (const char* part :
         {"small.toml:7:17: there is no file corp.crt",
          "small.toml:10:24: there is no file none-1-py3-none-any.whl",
          "small.toml:13:1: there is no file or folder nodir",
          "small.toml:14:1: files[0].to is \"srv\", expected an absolute path"}) {
      EXPECT_THAT(output, HasSubstr(part)) << command;
    }
  }
  Write("small.toml", Replacing("\"srv\"", "\"/srv\"")(text));
  EXPECT_THAT(Fail(Command({"generate", "compose", "small.toml"}), kUsage),
              HasSubstr("small has no services"));
  EXPECT_EQ(world_.requests(), 0u);
}

// Which ones there are is known from tzdata alone.
TEST_F(BadInput, TimeZonesThatThereAreNotAreToldBeforeAllElseIsFetched) {
  Write("small.toml", Replacing("[system]", "env = { TZ = \"Etc/UTD\" }\n[system]")(kSpec));
  ASSERT_EQ(whole_build::Execute(world_, Command({"lock", "small.toml", "-q"})).status, 0);
  std::mutex mutex;
  std::vector<std::string> archives;
  world_.SetFault([&](const ServedRequest& request) -> std::optional<ServedResponse> {
    const std::lock_guard lock(mutex);
    for (const char* ending : {".deb", ".whl"}) {
      if (request.target.ends_with(ending)) archives.push_back(request.target);
    }
    return std::nullopt;
  });
  const std::string output = Fail(Build(), kUsage);
  world_.SetFault(nullptr);
  EXPECT_THAT(output, HasSubstr("there is no time zone \"Etc/UTD\""));
  EXPECT_THAT(output, HasSubstr("did you mean \"Etc/UTC\"?"));
  EXPECT_THAT(archives, testing::Not(testing::IsEmpty()));
  EXPECT_THAT(archives, testing::Each(HasSubstr("/tzdata_")));
  Write("small.toml", kSpec);
  Succeed(Build());
}

// It is for what is resolved.
TEST_F(BadInput, ALockedSpecNeedsNoKeyring) {
  ASSERT_EQ(whole_build::Execute(world_, Command({"lock", "small.toml", "-q"})).status, 0);
  std::filesystem::remove(project() / "archive.gpg");
  std::filesystem::remove_all(cache());
  Succeed(Build());
}

// Other than their own editors write them, and still right.
TEST_F(BadInput, TabsWindowsLinesAndAByteOrderMarkAreNoMistakes) {
  std::string text = "\xEF\xBB\xBF";
  for (char c : std::string(kSpec)) text += c == '\n' ? std::string("\r\n") : std::string(1, c);
  text = Replacing("name = ", "\tname\t=\t")(text);
  Write("small.toml", text);
  Succeed(Build());
}

TEST_F(BadInput, AProjectMayLieInAnyFolder) {
  const std::filesystem::path odd = folder_.path() / "o\xC3\xA4 d'\"%20";
  std::filesystem::create_directories(odd);
  for (const char* name : {"small.toml", "archive.gpg"}) {
    std::filesystem::copy_file(project() / name, odd / name);
  }
  Invocation run = Build();
  run.folder = odd;
  run.cache = odd / "cache";
  const Ended ended = whole_build::Execute(world_, run);
  EXPECT_EQ(ended.status, 0) << ended.output;
}

}  // namespace
}  // namespace imgbuild::bad_input
