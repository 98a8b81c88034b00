#include "builder/cli/debug/standards.h"

#include <string>
#include <utility>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "builder/cli/debug/json_lines.h"
#include "specs/base/error.h"
#include "specs/python/marker.h"
#include "specs/python/requirement.h"
#include "specs/python/specifier.h"
#include "specs/python/version.h"

namespace imgbuild::builder {
namespace {

using nlohmann::json;
using specs::Error;

// Of a standard's parser: the value, or an Error that shows where the text goes wrong.
template <typename Value>
Value Require(std::variant<Value, specs::SyntaxError> parsed) {
  if (auto* error = std::get_if<specs::SyntaxError>(&parsed)) {
    throw Error(fmt::format("{} (at character {})", error->message, error->position));
  }
  return std::get<Value>(std::move(parsed));
}

specs::Version RequireVersion(const json& text) {
  auto version = specs::Version::Parse(text.get<std::string>());
  if (!version) throw Error(fmt::format("\"{}\" is no version", text.get<std::string>()));
  return *std::move(version);
}

json AnswerVersion(const json& question) {
  auto order = RequireVersion(question.at("a")) <=> RequireVersion(question.at("b"));
  return {{"order", order < 0 ? -1 : order > 0 ? 1 : 0}};
}

json AnswerSpecifier(const json& question) {
  auto set = Require(specs::SpecifierSet::Parse(question.at("specifier").get<std::string>()));
  std::optional<bool> prereleases;
  auto found = question.find("prereleases");
  if (found != question.end() && !found->is_null()) prereleases = found->get<bool>();
  std::string version = question.at("version").get<std::string>();
  return {{"contains", set.Contains(std::string_view(version), prereleases)}};
}

struct EnvironmentField {
  std::string_view name;
  std::string specs::MarkerEnvironment::*member;
};

constexpr EnvironmentField kEnvironmentFields[] = {
    {"implementation_name", &specs::MarkerEnvironment::implementation_name},
    {"implementation_version", &specs::MarkerEnvironment::implementation_version},
    {"os_name", &specs::MarkerEnvironment::os_name},
    {"platform_machine", &specs::MarkerEnvironment::platform_machine},
    {"platform_python_implementation", &specs::MarkerEnvironment::platform_python_implementation},
    {"platform_release", &specs::MarkerEnvironment::platform_release},
    {"platform_system", &specs::MarkerEnvironment::platform_system},
    {"platform_version", &specs::MarkerEnvironment::platform_version},
    {"python_full_version", &specs::MarkerEnvironment::python_full_version},
    {"python_version", &specs::MarkerEnvironment::python_version},
    {"sys_platform", &specs::MarkerEnvironment::sys_platform}};

// What a question leaves out is that of an image with Debian bookworm's Python on linux/amd64.
specs::MarkerEnvironment ReadEnvironment(const json& question) {
  specs::MarkerEnvironment environment =
      specs::ImageEnvironment("3.11.2", specs::Platform{specs::Architecture::kAmd64});
  auto given = question.find("environment");
  if (given == question.end() || given->is_null()) return environment;
  for (const auto& [name, member] : kEnvironmentFields) {
    if (given->contains(name)) environment.*member = given->at(name).get<std::string>();
  }
  if (auto extra = given->find("extra"); extra != given->end()) {
    environment.extra = extra->is_null() ? "" : extra->get<std::string>();
  }
  using Names = std::set<std::string>;
  if (given->contains("extras")) environment.extras = given->at("extras").get<Names>();
  if (given->contains("dependency_groups")) {
    environment.dependency_groups = given->at("dependency_groups").get<Names>();
  }
  return environment;
}

json AnswerMarker(const json& question) {
  auto marker = Require(specs::Marker::Parse(question.at("marker").get<std::string>()));
  auto result = marker.Evaluate(ReadEnvironment(question));
  if (auto* error = std::get_if<specs::MarkerError>(&result)) throw Error(error->message);
  return {{"result", std::get<bool>(result)}};
}

json AnswerRequirement(const json& question) {
  auto parsed = Require(specs::Requirement::Parse(question.at("requirement").get<std::string>()));
  json answer = {{"name", parsed.name},
                 {"extras", parsed.extras},
                 {"specifier", parsed.specifier.Render()},
                 {"url", nullptr},
                 {"marker", nullptr}};
  if (!parsed.url.empty()) answer["url"] = parsed.url;
  if (parsed.marker) answer["marker"] = parsed.marker->Render();
  return answer;
}

}  // namespace

int RunDebugVersion(std::istream& in, std::ostream& out) {
  return AnswerJsonLines(in, out, AnswerVersion);
}

int RunDebugSpecifier(std::istream& in, std::ostream& out) {
  return AnswerJsonLines(in, out, AnswerSpecifier);
}

int RunDebugMarker(std::istream& in, std::ostream& out) {
  return AnswerJsonLines(in, out, AnswerMarker);
}

int RunDebugRequirement(std::istream& in, std::ostream& out) {
  return AnswerJsonLines(in, out, AnswerRequirement);
}

}  // namespace imgbuild::builder
