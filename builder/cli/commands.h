// The commands: each adds itself to the command line; what it does is called from `run`.
#pragma once

#include <functional>

#include "builder/cli/options.h"

namespace CLI {
class App;
}

namespace imgbuild::builder {

// Set by the command that the user chose; returns the exit status.
using RunCommand = std::function<int()>;

void AddGlobalOptions(CLI::App& app, GlobalOptions& options);
void AddSpecOptions(CLI::App& command, SpecOptions& options);
// The same without the specs themselves.
void AddSpecSettings(CLI::App& command, SpecOptions& options);

// `options` is borrowed until `run` was called.
void AddLockCommand(CLI::App& app, const GlobalOptions& options, RunCommand& run);
void AddBuildCommand(CLI::App& app, const GlobalOptions& options, RunCommand& run);
void AddPlanCommand(CLI::App& app, const GlobalOptions& options, RunCommand& run);
void AddCacheCommand(CLI::App& app, const GlobalOptions& options, RunCommand& run);
void AddInitCommand(CLI::App& app, RunCommand& run);
void AddUpCommands(CLI::App& app, const GlobalOptions& options, RunCommand& run);
void AddGenerateCommand(CLI::App& app, const GlobalOptions& options, RunCommand& run);
void AddPackageCommands(CLI::App& app, const GlobalOptions& options, RunCommand& run);
void AddPresetsCommand(CLI::App& app, const GlobalOptions& options, RunCommand& run);
void AddRunCommands(CLI::App& app, const GlobalOptions& options, RunCommand& run);
void AddPushCommand(CLI::App& app, const GlobalOptions& options, RunCommand& run);
void AddPullCommand(CLI::App& app, const GlobalOptions& options, RunCommand& run);
void AddInspectCommand(CLI::App& app, const GlobalOptions& options, RunCommand& run);
void AddCopyCommand(CLI::App& app, const GlobalOptions& options, RunCommand& run);
void AddTagsCommands(CLI::App& app, const GlobalOptions& options, RunCommand& run);
void AddLoginCommands(CLI::App& app, const GlobalOptions& options, RunCommand& run);
void AddDebugCommand(CLI::App& app, const GlobalOptions& options, RunCommand& run);

}  // namespace imgbuild::builder
