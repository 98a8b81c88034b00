// The commands: each adds itself to the command line; what it does is called from `run`.
#pragma once

#include <functional>

#include "builder/cli/command_line.h"
#include "builder/cli/options.h"

namespace imgbuild::builder {

// Set by the command that the user chose; returns the exit status.
using RunCommand = std::function<int()>;

void AddGlobalOptions(Command app, GlobalOptions& options);
void AddSpecOptions(Command command, SpecOptions& options);
// The same without the specs themselves.
void AddSpecSettings(Command command, SpecOptions& options);

// `options` is borrowed until `run` was called.
void AddLockCommand(Command app, const GlobalOptions& options, RunCommand& run);
void AddBuildCommand(Command app, const GlobalOptions& options, RunCommand& run);
void AddPlanCommand(Command app, const GlobalOptions& options, RunCommand& run);
void AddCacheCommand(Command app, const GlobalOptions& options, RunCommand& run);
void AddInitCommand(Command app, RunCommand& run);
void AddUpCommands(Command app, const GlobalOptions& options, RunCommand& run);
void AddGenerateCommand(Command app, const GlobalOptions& options, RunCommand& run);
void AddPackageCommands(Command app, const GlobalOptions& options, RunCommand& run);
void AddPresetsCommand(Command app, const GlobalOptions& options, RunCommand& run);
void AddRunCommands(Command app, const GlobalOptions& options, RunCommand& run);
void AddPushCommand(Command app, const GlobalOptions& options, RunCommand& run);
void AddPullCommand(Command app, const GlobalOptions& options, RunCommand& run);
void AddInspectCommand(Command app, const GlobalOptions& options, RunCommand& run);
void AddCopyCommand(Command app, const GlobalOptions& options, RunCommand& run);
void AddTagsCommands(Command app, const GlobalOptions& options, RunCommand& run);
void AddLoginCommands(Command app, const GlobalOptions& options, RunCommand& run);
void AddDebugCommand(Command app, const GlobalOptions& options, RunCommand& run);

}  // namespace imgbuild::builder
