#include <iostream>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "builder/cli/commands.h"
#include "builder/cli/debug/standards.h"
#include "builder/cli/session.h"
#include "builder/pypi/debug_resolve.h"

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
void AddDebugCommand(CLI::App& app, const GlobalOptions& options, RunCommand& run) {
  CLI::App* debug = app.add_subcommand("debug", "")->group("");
  debug->require_subcommand(1);
  auto add = [&](const char* name, auto verb) {
    debug->add_subcommand(name, "")->callback([&run, verb] { run = verb; });
  };
  add("version", [] { return RunDebugVersion(std::cin, std::cout); });
  add("specifier", [] { return RunDebugSpecifier(std::cin, std::cout); });
  add("marker", [] { return RunDebugMarker(std::cin, std::cout); });
  add("requirement", [] { return RunDebugRequirement(std::cin, std::cout); });
  add("sources", [&options] { return DebugSources(options); });
  add("resolve", [&options] { return DebugResolve(options); });
}

}  // namespace imgbuild::builder
