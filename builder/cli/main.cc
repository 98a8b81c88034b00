// The command line: wiring only.

#include <algorithm>
#include <cstdio>
#include <span>
#include <string_view>

#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <sys/resource.h>

#include "builder/cli/commands.h"
#include "builder/cli/interrupt.h"
#include "builder/cli/usage_error.h"
#include "builder/cli/version.h"
#include "specs/base/error.h"

namespace imgbuild::builder {
namespace {

enum class ErrorStyle { kText, kTextAndEvent };

int Report(const specs::Error& error, ErrorStyle style) {
  fmt::print(stderr, "error: {}\n", error.what());
  if (style == ErrorStyle::kTextAndEvent) fmt::print("{}", RenderErrorEvent(error));
  return static_cast<int>(error.kind());
}

// Passwords and tokens lie in memory, and a core dump would keep them. A limit of one byte, unlike
// none, ends dumps to a program behind a pipe too (core(5)). What is started may raise it again.
void LeaveNoCore() {
  rlimit limit{};
  if (getrlimit(RLIMIT_CORE, &limit) != 0) return;
  limit.rlim_cur = std::min<rlim_t>(1, limit.rlim_max);
  setrlimit(RLIMIT_CORE, &limit);
}

int Main(int argc, char** argv) {
  LeaveNoCore();
  CLI::App app("Layered, reproducible OCI images from one environment spec", "imgbuild");
  app.set_version_flag("--version", std::string("imgbuild ") + kVersion);
  app.require_subcommand(1);
  app.fallthrough();
  GlobalOptions options;
  RunCommand run;
  AddGlobalOptions(app, options);
  AddInitCommand(app, run);
  AddBuildCommand(app, options, run);
  AddLockCommand(app, options, run);
  AddPackageCommands(app, options, run);
  AddPlanCommand(app, options, run);
  AddUpCommands(app, options, run);
  AddRunCommands(app, options, run);
  AddPresetsCommand(app, options, run);
  AddGenerateCommand(app, options, run);
  AddPushCommand(app, options, run);
  AddPullCommand(app, options, run);
  AddInspectCommand(app, options, run);
  AddCopyCommand(app, options, run);
  AddTagsCommands(app, options, run);
  AddLoginCommands(app, options, run);
  AddCacheCommand(app, options, run);
  AddDebugCommand(app, options, run);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
    // What was understood before the error is not in the options yet.
    const std::span<char*> words(argv, static_cast<std::size_t>(argc));
    const bool json = std::ranges::find(words, std::string_view("--json")) != words.end();
    return Report(UsageError(app, error), json ? ErrorStyle::kTextAndEvent : ErrorStyle::kText);
  }
  EndOnInterrupt();
  const ErrorStyle style =
      options.style == ReportStyle::kJson ? ErrorStyle::kTextAndEvent : ErrorStyle::kText;
  try {
    return run();
  } catch (const specs::Error& error) {
    return Report(error, style);
  } catch (const std::exception& error) {
    return Report(specs::Error(error.what()), style);
  }
}

}  // namespace
}  // namespace imgbuild::builder

int main(int argc, char** argv) { return imgbuild::builder::Main(argc, argv); }
