#include <string>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "builder/cli/commands.h"
#include "specs/base/text.h"

namespace imgbuild::builder {
namespace {

constexpr std::uint64_t kMostJobs = 1024;

}  // namespace

void AddGlobalOptions(CLI::App& app, GlobalOptions& options) {
  app.add_option("--cache-dir", options.cache_dir, "Where the cache lies")->type_name("DIR");
  app.add_option("-j,--jobs", options.jobs, "Threads for work on the processor")
      ->type_name("N")
      ->check([](const std::string& text) {
        const auto jobs = specs::ParseUnsigned(text);
        return jobs && *jobs >= 1 && *jobs <= kMostJobs
                   ? std::string()
                   : fmt::format("\"{}\" is no number from 1 to {}", text, kMostJobs);
      });
  app.add_flag("--offline", options.offline, "Use what is cached, never the network");
  app.add_flag_callback(
      "-q,--quiet", [&options] { options.verbosity = Verbosity::kQuiet; },
      "Warnings and errors only");
  app.add_flag_callback(
      "-v,--verbose", [&options] { options.verbosity = Verbosity::kVerbose; }, "Say more");
  app.add_flag_callback(
      "--json", [&options] { options.style = ReportStyle::kJson; },
      "Events as JSON lines on standard output");
  app.add_flag_callback(
      "--plain", [&options] { options.style = ReportStyle::kPlain; }, "Lines instead of bars");
}

void AddSpecOptions(CLI::App& command, SpecOptions& options) {
  command.add_option("spec", options.files, "Specs; spec.toml where none is given")
      ->type_name("SPEC");
  AddSpecSettings(command, options);
}

void AddSpecSettings(CLI::App& command, SpecOptions& options) {
  command.add_option("--set", options.settings, "Set a key over the spec: cuda.enabled=true")
      ->type_name("KEY=VALUE")
      ->take_all()
      ->allow_extra_args(false);
  command.add_option("--platform", options.platforms, "Only for this platform: linux/arm64")
      ->type_name("PLATFORM")
      ->take_all()
      ->allow_extra_args(false);
  command.add_flag("--no-local", options.no_local, "Leave out NAME.local.toml");
}

}  // namespace imgbuild::builder
