#include <iostream>
#include <map>
#include <utility>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "builder/cli/command_line.h"
#include "builder/cli/commands.h"
#include "builder/cli/debug/json_lines.h"
#include "builder/cli/debug/standards.h"
#include "builder/cli/session.h"
#include "builder/debian/solve.h"
#include "builder/pypi/debug_resolve.h"
#include "specs/base/error.h"

namespace imgbuild::builder {
namespace {

int DebugResolve(const GlobalOptions& options) {
  Session session(options);
  RunDebugResolve(std::cin, std::cout,
                  {.http = session.http(),
                   .default_index = [&] { return session.DefaultIndex(); },
                   .cache_folder = session.store().IndexDirectory("python"),
                   .now = session.now()});
  return 0;
}

// For comparisons with apt.
int DebugClosure(const GlobalOptions& options) {
  Session session(options);
  std::map<std::pair<specs::Suite, specs::Architecture>, PackageIndex> indexes;
  return AnswerJsonLines(std::cin, std::cout, [&](const nlohmann::json& question) {
    specs::Spec spec;
    const std::string suite = question.at("suite");
    spec.system.suite = suite == "trixie" ? specs::Suite::kTrixie : specs::Suite::kBookworm;
    const auto platform = specs::Platform::Parse(question.at("platform").get<std::string>());
    if (!platform || suite != specs::SuiteName(spec.system.suite)) {
      throw specs::Error("no such suite or platform");
    }
    const std::pair key{spec.system.suite, platform->architecture};
    auto index = indexes.find(key);
    if (index == indexes.end()) {
      index = indexes.emplace(key, session.OpenRepository(spec)->Load(key.second)).first;
    }
    nlohmann::json packages = nlohmann::json::object();
    const std::vector<std::string> roots = question.at("packages");
    for (const ClosurePackage& entry : SolveDebian(index->second, roots).packages) {
      packages[std::string(entry.package.name())] = entry.package.version();
    }
    return nlohmann::json{{"packages", std::move(packages)}};
  });
}

// Where packages come from on this machine, for tests that put something in between.
int DebugSources(const GlobalOptions& options) {
  Session session(options);
  const DebianMirrors mirrors = session.Mirrors({});
  fmt::print("debian {}\ndebian-security {}\npython {}\n", mirrors.archive.url,
             mirrors.security.url, session.DefaultIndex().url);
  return 0;
}

}  // namespace

// Hidden: made for tests of the standards from outside, described in docs/debug.md.
void AddDebugCommand(Command app, const GlobalOptions& options, RunCommand& run) {
  Command debug = app.AddCommand("debug", "").Hide();
  debug.RequireCommand();
  auto add = [&](const char* name, auto verb) {
    debug.AddCommand(name, "").WhenGiven([&run, verb] { run = verb; });
  };
  add("version", [] { return RunDebugVersion(std::cin, std::cout); });
  add("specifier", [] { return RunDebugSpecifier(std::cin, std::cout); });
  add("marker", [] { return RunDebugMarker(std::cin, std::cout); });
  add("requirement", [] { return RunDebugRequirement(std::cin, std::cout); });
  add("sources", [&options] { return DebugSources(options); });
  add("resolve", [&options] { return DebugResolve(options); });
  add("closure", [&options] { return DebugClosure(options); });
}

}  // namespace imgbuild::builder
