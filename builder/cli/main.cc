// The command line: wiring only.

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include <fmt/core.h>
#include <sys/resource.h>

#include "builder/cli/command_line.h"
#include "builder/cli/commands.h"
#include "builder/cli/interrupt.h"
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
  CommandLine line("imgbuild", std::string("imgbuild ") + kVersion,
                   "Layered, reproducible OCI images from one environment spec");
  const Command app = line.program();
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
  const std::vector<std::string> words(argv + std::min(argc, 1), argv + argc);
  try {
    if (const auto status = line.Parse(words)) return *status;
  } catch (const specs::Error& error) {
    // What was understood before the error is not in the options yet.
    const bool json = std::ranges::find(words, "--json") != words.end();
    return Report(error, json ? ErrorStyle::kTextAndEvent : ErrorStyle::kText);
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
