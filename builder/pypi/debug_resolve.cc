#include "builder/pypi/debug_resolve.h"

#include <istream>
#include <ostream>
#include <string>
#include <vector>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "builder/pypi/index_client.h"
#include "builder/pypi/resolver.h"
#include "specs/base/text.h"
#include "specs/python/name.h"

namespace imgbuild::builder {
namespace {

using Json = nlohmann::json;

[[noreturn]] void BadRequest(std::string message) {
  throw specs::Error(specs::ErrorKind::kUsage, std::move(message));
}

std::string Text(const Json& request, const char* key, std::string fallback) {
  auto found = request.find(key);
  if (found == request.end() || found->is_null()) return fallback;
  if (!found->is_string()) BadRequest(fmt::format("\"{}\" must be a string", key));
  return found->get<std::string>();
}

std::vector<std::string> Texts(const Json& request, const char* key) {
  std::vector<std::string> texts;
  auto found = request.find(key);
  if (found == request.end() || found->is_null()) return texts;
  if (!found->is_array()) BadRequest(fmt::format("\"{}\" must be an array of strings", key));
  for (const Json& element : *found) {
    if (!element.is_string()) BadRequest(fmt::format("\"{}\" must be an array of strings", key));
    texts.push_back(element.get<std::string>());
  }
  return texts;
}

std::set<std::string> Names(const Json& request, const char* key) {
  std::set<std::string> names;
  for (const std::string& name : Texts(request, key)) {
    names.insert(name == ":all:" ? name : specs::NormalizeName(name));
  }
  return names;
}

PythonTarget TargetOf(const Json& request) {
  std::string platform = Text(request, "platform", "linux/amd64");
  std::optional<specs::Platform> parsed = specs::Platform::Parse(platform);
  if (!parsed) BadRequest(fmt::format("unknown platform \"{}\"", platform));
  return MakeTarget(LatestPatch(Text(request, "python", "3.11")), *parsed);
}

std::optional<std::int64_t> ExcludeNewer(const Json& request) {
  std::string text = Text(request, "exclude_newer", "");
  if (text.empty()) return std::nullopt;
  std::optional<std::int64_t> time = ParseExcludeNewer(text);
  if (!time) BadRequest(fmt::format("\"{}\" is no date", text));
  return time;
}

ResolveInput InputOf(const Json& request) {
  ResolveInput input{.target = TargetOf(request)};
  if (!request.contains("requirements")) BadRequest("\"requirements\" is missing");
  for (const std::string& text : Texts(request, "requirements")) {
    auto parsed = specs::Requirement::Parse(text);
    if (auto* error = std::get_if<specs::SyntaxError>(&parsed)) {
      BadRequest(fmt::format("\"{}\" is no requirement: {}", text, error->message));
    }
    input.requirements.push_back(std::move(std::get<specs::Requirement>(parsed)));
  }
  std::string prereleases = Text(request, "prereleases", "if-necessary-or-explicit");
  if (prereleases == "allow") {
    input.prereleases = Prereleases::kAllow;
  } else if (prereleases != "if-necessary-or-explicit") {
    BadRequest(fmt::format("unknown \"prereleases\": \"{}\"", prereleases));
  }
  input.sdists = Sdists::kStaticMetadata;
  input.no_binary = Names(request, "no_binary");
  input.no_build = Names(request, "no_build");
  input.exclude_newer = ExcludeNewer(request);
  return input;
}

Json Answer(const std::string& line, const DebugResolveContext& context) {
  Json request = Json::parse(line, nullptr, false);
  if (!request.is_object()) BadRequest("the line is no JSON object");
  ResolveInput input = InputOf(request);
  std::string url = Text(request, "index", "");
  IndexConfig index = url.empty() ? context.default_index() : MakeIndex("default", url);
  Resolution resolution = ResolvePython(input, {.http = context.http,
                                                .indexes = {std::move(index)},
                                                .cache_folder = context.cache_folder,
                                                .connectivity = Connectivity::kOnline,
                                                .now = context.now,
                                                .progress = {}});
  Json packages = Json::object();
  for (const ResolvedPackage& package : resolution.packages) {
    std::optional<specs::Version> version = specs::Version::Parse(package.version);
    packages[package.name] = version ? version->Render() : package.version;
  }
  return {{"packages", std::move(packages)}};
}

}  // namespace

void RunDebugResolve(std::istream& in, std::ostream& out, const DebugResolveContext& context) {
  std::string line;
  while (std::getline(in, line)) {
    if (specs::Trim(line).empty()) continue;
    Json answer;
    try {
      answer = Answer(line, context);
    } catch (const specs::Error& error) {
      answer = {{"error", error.what()}};
    }
    // Names of files may hold bytes that are no UTF-8.
    out << answer.dump(-1, ' ', false, Json::error_handler_t::replace) << '\n' << std::flush;
  }
}

}  // namespace imgbuild::builder
