#include <string>

#include <fmt/core.h>

#include "builder/cli/command_line.h"
#include "builder/cli/commands.h"
#include "specs/base/text.h"

namespace imgbuild::builder {
namespace {

constexpr std::uint64_t kMostJobs = 1024;

}  // namespace

void AddGlobalOptions(Command app, GlobalOptions& options) {
  app.AddOption("--cache-dir", options.cache_dir, "Where the cache lies").TypeName("DIR");
  app.AddOption("-j,--jobs", options.jobs, "Threads for work on the processor")
      .TypeName("N")
      .Check([](const std::string& text) {
        const auto jobs = specs::ParseUnsigned(text);
        return jobs && *jobs >= 1 && *jobs <= kMostJobs
                   ? std::string()
                   : fmt::format("\"{}\" is no number from 1 to {}", text, kMostJobs);
      });
  app.AddFlag("--offline", options.offline, "Use what is cached, never the network");
  app.AddFlag(
      "-q,--quiet", [&options] { options.verbosity = Verbosity::kQuiet; },
      "Warnings and errors only");
  app.AddFlag(
      "-v,--verbose", [&options] { options.verbosity = Verbosity::kVerbose; }, "Say more");
  app.AddFlag(
      "--json", [&options] { options.style = ReportStyle::kJson; },
      "Events as JSON lines on standard output");
  app.AddFlag(
      "--plain", [&options] { options.style = ReportStyle::kPlain; }, "Lines instead of bars");
  app.AddOption("--trace", options.trace, "Write what takes how long, as a Chrome trace")
      .TypeName("FILE");
}

void AddSpecOptions(Command command, SpecOptions& options) {
  command.AddOption("spec", options.files, "Specs; spec.toml where none is given").TypeName("SPEC");
  AddSpecSettings(command, options);
}

void AddSpecSettings(Command command, SpecOptions& options) {
  command.AddOption("--set", options.settings, "Set a key over the spec: cuda.enabled=true")
      .TypeName("KEY=VALUE")
      .Repeatable();
  command.AddOption("--platform", options.platforms, "Only for this platform: linux/arm64")
      .TypeName("PLATFORM")
      .Repeatable();
  command.AddFlag("--no-local", options.no_local, "Leave out NAME.local.toml");
}

}  // namespace imgbuild::builder
