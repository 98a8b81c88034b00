// Runs the TOML universes of tests/scenarios/pypi.
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "builder/pypi/index_client.h"
#include "builder/pypi/resolver.h"
#include "layers/io/file.h"
#include "specs/base/toml.h"
#include "tests/support/mini_index.h"
#include "tests/support/temp_folder.h"

namespace imgbuild::builder {
namespace {

using specs::TomlValue;

std::vector<std::string> Scenarios() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator("tests/scenarios/pypi")) {
    if (entry.path().extension() == ".toml") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string TextAt(const TomlValue& table, std::string_view key, std::string fallback = "") {
  const TomlValue* value = table.Find(key);
  return value == nullptr ? fallback : value->text;
}

std::vector<std::string> TextsAt(const TomlValue& table, std::string_view key) {
  std::vector<std::string> texts;
  if (const TomlValue* array = table.Find(key)) {
    for (const TomlValue& item : array->items) texts.push_back(item.text);
  }
  return texts;
}

std::map<std::string, std::string> MapAt(const TomlValue& table, std::string_view key) {
  std::map<std::string, std::string> map;
  if (const TomlValue* inner = table.Find(key)) {
    for (const specs::TomlEntry& entry : inner->entries) map[entry.key] = entry.value.text;
  }
  return map;
}

std::vector<specs::Requirement> Requirements(const std::vector<std::string>& texts) {
  std::vector<specs::Requirement> requirements;
  for (const std::string& text : texts) {
    requirements.push_back(std::get<specs::Requirement>(specs::Requirement::Parse(text)));
  }
  return requirements;
}

void AddRelease(const std::string& name, const std::string& version, const TomlValue& release,
                support::MiniIndex& index) {
  support::MiniMetadata metadata;
  metadata.requires_dist = TextsAt(release, "requires");
  metadata.requires_python = TextAt(release, "requires-python");
  if (const TomlValue* extras = release.Find("extras")) {
    for (const specs::TomlEntry& extra : extras->entries) {
      metadata.provides_extra.push_back(extra.key);
      for (const TomlValue& requirement : extra.value.items) {
        metadata.requires_dist.push_back(requirement.text + "; extra == '" + extra.key + "'");
      }
    }
  }
  auto finish = [&](support::MiniFile& file) {
    if (release.Find("yanked")) file.yanked = TextAt(release, "yanked");
    file.upload_time = TextAt(release, "uploaded");
  };
  std::vector<std::string> tags = {"py3-none-any"};
  if (release.Find("tags")) tags = TextsAt(release, "tags");
  for (const std::string& tag : tags) finish(index.AddWheel(name, version, metadata, tag));
  if (release.Find("sdist")) {
    finish(index.AddSdist(name, version, metadata, TextAt(release, "sdist")));
  }
}

ResolveInput InputOf(const TomlValue& scenario) {
  ResolveInput input{
      .target = MakeTarget(TextAt(scenario, "python", "3.11.2"),
                           *specs::Platform::Parse(TextAt(scenario, "platform", "linux/amd64")))};
  input.requirements = Requirements(TextsAt(scenario, "requirements"));
  input.constraints = Requirements(TextsAt(scenario, "constraints"));
  input.optional = {"optional", Requirements(TextsAt(scenario, "optional"))};
  for (const std::string& name : TextsAt(scenario, "binding")) input.binding.insert(name);
  if (TextAt(scenario, "prereleases") == "allow") input.prereleases = Prereleases::kAllow;
  if (TextAt(scenario, "sdists") == "static") input.sdists = Sdists::kStaticMetadata;
  for (const std::string& name : TextsAt(scenario, "no-binary")) input.no_binary.insert(name);
  for (const std::string& name : TextsAt(scenario, "no-build")) input.no_build.insert(name);
  input.exclude_newer = ParseExcludeNewer(TextAt(scenario, "exclude-newer"));
  for (const auto& [name, version] : MapAt(scenario, "preferences")) {
    input.preferences[name] = {version};
  }
  return input;
}

class ScenarioTest : public testing::TestWithParam<std::string> {};

TEST_P(ScenarioTest, GivesWhatItExpects) {
  std::string path = "tests/scenarios/pypi/" + GetParam() + ".toml";
  auto parsed = specs::ParseToml(layers::ReadFile(path), path);
  ASSERT_TRUE(std::holds_alternative<TomlValue>(parsed))
      << std::get<specs::Problem>(parsed).Render();
  const TomlValue& scenario = std::get<TomlValue>(parsed);
  EXPECT_FALSE(TextAt(scenario, "description").empty());
  support::MiniIndex index;
  for (const specs::TomlEntry& package : scenario.Find("packages")->entries) {
    for (const specs::TomlEntry& release : package.value.entries) {
      AddRelease(package.key, release.key, release.value, index);
    }
  }
  const TomlValue& expected = *scenario.Find("expected");
  std::map<std::string, std::string> files = MapAt(expected, "files");
  support::TempFolder folder;
  // The second time everything comes from the cache.
  for (Connectivity connectivity : {Connectivity::kOnline, Connectivity::kOffline}) {
    support::FakeHttpClient http([&](const auto& request) { return index.Answer(request); });
    ResolveContext context{.http = http,
                           .indexes = {MakeIndex("default", "https://index.example/simple")},
                           .cache_folder = folder.path(),
                           .connectivity = connectivity,
                           .now = 1'800'000'000};
    try {
      Resolution resolution = ResolvePython(InputOf(scenario), context);
      std::map<std::string, std::string> packages;
      std::map<std::string, std::set<std::string>> extras;
      for (const ResolvedPackage& package : resolution.packages) {
        packages[package.name] = package.version;
        if (!package.extras.empty()) extras[package.name] = package.extras;
        if (files.contains(package.name)) {
          EXPECT_EQ(package.filename, files[package.name]);
        }
        EXPECT_TRUE(package.sha256.has_value());
        EXPECT_FALSE(package.required_by.empty()) << package.name;
      }
      EXPECT_EQ(packages, MapAt(expected, "packages"));
      if (const TomlValue* wanted = expected.Find("extras")) {
        for (const specs::TomlEntry& entry : wanted->entries) {
          EXPECT_THAT(extras[entry.key], testing::ElementsAreArray(TextsAt(*wanted, entry.key)));
        }
      }
      if (const TomlValue* wanted = expected.Find("roots")) {
        for (const ResolvedPackage& package : resolution.packages) {
          EXPECT_THAT(package.roots, testing::ElementsAreArray(TextsAt(*wanted, package.name)))
              << package.name;
        }
      }
      EXPECT_EQ(resolution.warnings, TextsAt(expected, "warnings"));
    } catch (const specs::Error& error) {
      EXPECT_EQ(error.kind(), specs::ErrorKind::kUnresolvable);
      std::vector<std::string> parts = TextsAt(expected, "error");
      EXPECT_FALSE(parts.empty()) << error.what();
      for (const std::string& part : parts) EXPECT_THAT(error.what(), testing::HasSubstr(part));
    }
  }
}

std::string TestName(const testing::TestParamInfo<std::string>& scenario) {
  std::string name = scenario.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Pypi, ScenarioTest, testing::ValuesIn(Scenarios()), TestName);

}  // namespace
}  // namespace imgbuild::builder
