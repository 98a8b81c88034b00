// imgbuild run and shell: a container of the spec, gone when it ends.
#include "builder/cli/command_line.h"
#include "builder/cli/commands.h"
#include "builder/cli/container.h"
#include "builder/cli/registry_access.h"
#include "builder/cli/rootless.h"
#include "builder/cli/shell_command.h"
#include "specs/base/error.h"

namespace imgbuild::builder {
namespace {

struct RunArgumentsGiven {
  ContainerOptions container;
  std::string spec;
  std::vector<std::string> command;
  bool rootless = false;
};

int Run(const GlobalOptions& options, RunArgumentsGiven& arguments) {
  if (!arguments.spec.empty()) arguments.container.spec.files = {arguments.spec};
  if (arguments.rootless) {
    arguments.container.services = arguments.command.empty();
    Session session(options);
    return RunWithoutEngine(session, arguments.container, arguments.command);
  }
  if (arguments.command.empty()) {
    throw specs::Error(specs::ErrorKind::kUsage, "run takes a command")
        .Expected("imgbuild run [--spec SPEC] -- COMMAND [ARGUMENT]...")
        .Hint("`imgbuild up` starts the services, `imgbuild shell` a shell");
  }
  Session session(options);
  Container container = PrepareContainer(session, arguments.container);
  container.plan.command = arguments.command;
  container.plan.input = true;
  Become(session, container);
}

int Shell(const GlobalOptions& options, ContainerOptions& arguments) {
  Session session(options);
  Container container = PrepareContainer(session, arguments);
  container.plan.command = ShellCommand(container.loaded.spec, arguments.spec);
  container.plan.input = true;
  Become(session, container);
}

void AddLockOptions(Command command, LockOptions& options) {
  command.AddFlag("--locked", options.locked, "Refuse to resolve: the lock must match");
  AddRegistryOptions(command, options.registry);
}

}  // namespace

void AddRunCommands(Command app, const GlobalOptions& options, RunCommand& run) {
  auto arguments = std::make_shared<RunArgumentsGiven>();
  Command command =
      app.AddCommand("run", "Run a command in the environment, in the current folder");
  command.AddOption("--spec", arguments->spec, "The spec; spec.toml where none is given")
      .TypeName("SPEC");
  AddSpecSettings(command, arguments->container.spec);
  AddLockOptions(command, arguments->container.lock);
  command.AddFlag("--rootless", arguments->rootless,
                  "Without a container engine; where no command is given, the services");
  command.AddOption("command", arguments->command, "The command, after --").TypeName("COMMAND");
  command.WhenGiven([&options, &run, arguments] {
    run = [&options, arguments] { return Run(options, *arguments); };
  });

  auto shell = std::make_shared<ContainerOptions>();
  command = app.AddCommand("shell", "A shell in the environment, in the current folder");
  AddSpecOptions(command, shell->spec);
  AddLockOptions(command, shell->lock);
  command.WhenGiven(
      [&options, &run, shell] { run = [&options, shell] { return Shell(options, *shell); }; });
}

}  // namespace imgbuild::builder
