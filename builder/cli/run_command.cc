// imgbuild run and shell: a container of the spec, gone when it ends.
#include <CLI/CLI.hpp>

#include "builder/cli/commands.h"
#include "builder/cli/container.h"
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

void AddLockedFlag(CLI::App& command, LockOptions& options) {
  command.add_flag("--locked", options.locked, "Refuse to resolve: the lock must match");
}

}  // namespace

void AddRunCommands(CLI::App& app, const GlobalOptions& options, RunCommand& run) {
  auto arguments = std::make_shared<RunArgumentsGiven>();
  CLI::App* command =
      app.add_subcommand("run", "Run a command in the environment, in the current folder");
  command->add_option("--spec", arguments->spec, "The spec; spec.toml where none is given")
      ->type_name("SPEC");
  AddSpecSettings(*command, arguments->container.spec);
  AddLockedFlag(*command, arguments->container.lock);
  command->add_flag("--rootless", arguments->rootless,
                    "Without a container engine; where no command is given, the services");
  command->add_option("command", arguments->command, "The command, after --")->type_name("COMMAND");
  command->callback([&options, &run, arguments] {
    run = [&options, arguments] { return Run(options, *arguments); };
  });

  auto shell = std::make_shared<ContainerOptions>();
  command = app.add_subcommand("shell", "A shell in the environment, in the current folder");
  AddSpecOptions(*command, shell->spec);
  AddLockedFlag(*command, shell->lock);
  command->callback(
      [&options, &run, shell] { run = [&options, shell] { return Shell(options, *shell); }; });
}

}  // namespace imgbuild::builder
