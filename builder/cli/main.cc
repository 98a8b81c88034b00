// The command line: wiring only.

#include <cstdio>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "builder/cli/commands.h"
#include "builder/cli/interrupt.h"
#include "builder/cli/usage_error.h"
#include "builder/cli/version.h"
#include "specs/base/error.h"

namespace imgbuild::builder {
namespace {

int Report(const specs::Error& error) {
  fmt::print(stderr, "error: {}\n", error.what());
  return static_cast<int>(error.kind());
}

int Main(int argc, char** argv) {
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
    return Report(UsageError(app, error));
  }
  EndOnInterrupt();
  try {
    return run();
  } catch (const specs::Error& error) {
    return Report(error);
  } catch (const std::exception& error) {
    return Report(specs::Error(error.what()));
  }
}

}  // namespace
}  // namespace imgbuild::builder

int main(int argc, char** argv) { return imgbuild::builder::Main(argc, argv); }
