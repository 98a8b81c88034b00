// imgbuild up, down, ps and logs: an environment's services, with the engine of this machine.
#include <algorithm>
#include <cstdio>
#include <iterator>
#include <optional>

#include <fmt/core.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "builder/cli/additions.h"
#include "builder/cli/command_line.h"
#include "builder/cli/commands.h"
#include "builder/cli/container.h"
#include "builder/cli/following.h"
#include "builder/cli/registry_access.h"
#include "builder/cli/rootless.h"
#include "builder/cli/shell_command.h"
#include "builder/engine/containers.h"
#include "builder/engine/spec_plan.h"
#include "builder/host/environment.h"
#include "builder/host/program.h"
#include "specs/base/error.h"
#include "specs/base/text.h"
#include "specs/env/preset.h"

namespace imgbuild::builder {
namespace {

struct UpArguments {
  ContainerOptions container;
  bool detached = false;
  bool shell = false;
  bool open = false;
  bool watch = false;
  bool rootless = false;
};

Engine EngineHere() { return FindEngine(Environment::OfProcess(), geteuid()); }

// Nothing of that name runs, and nothing that is dead has the name.
void RequireDown(Session& session, const Engine& engine, const std::string& environment) {
  for (const FoundContainer& found : FindContainers(engine)) {
    if (found.name != ContainerName(environment)) continue;
    if (!found.IsUp()) {
      session.progress().Info(
          fmt::format("removing what was left of {}: {}", environment, found.status));
      RemoveContainer(engine, found);
      continue;
    }
    throw specs::Error(fmt::format("{} is up already", environment))
        .Found(fmt::format("the container {}: {}", found.name, found.status))
        .Hint(fmt::format("imgbuild down {0}; or look at it: imgbuild logs {0}", environment));
  }
}

// The container in the background, whose logs this program passes on.
Container Beside(Container container, const UpArguments& arguments) {
  RunPlan& plan = container.plan;
  // The supervisor sees no terminal there, and whoever follows may have one.
  const bool terminal = isatty(STDOUT_FILENO) != 0 && !Environment::OfProcess().Get("NO_COLOR");
  if (terminal && !arguments.detached) plan.env.emplace("IMGBUILD_LOG", "colour");
  plan.detached = true;
  plan.interactive = false;
  if (arguments.watch) plan.env.merge(specs::WatchEnvironment(container.loaded.spec));
  return container;
}

// Stays beside it, to pass on what it says, to open its page and to replace it.
int Follow(Session& session, const GlobalOptions& options, const UpArguments& arguments,
           Container container, FileWatch* watch) {
  FollowOptions follow{
      .open = arguments.open, .leave = arguments.detached, .watch = watch, .rebuild = {}};
  follow.rebuild = [&] {
    GlobalOptions untraced = options;  // the file is the first build's
    untraced.trace.clear();
    Session again(untraced);
    Container next = PrepareContainer(again, arguments.container);
    AddHome(next.plan);
    return Beside(std::move(next), arguments);
  };
  session.progress().Flush();
  return FollowContainer(session, Beside(std::move(container), arguments), follow);
}

std::vector<std::string> ShellBesideServices(const specs::Spec& spec,
                                             const UpArguments& arguments) {
  std::vector<std::string> command = ShellCommand(spec, arguments.container.spec);
  command.insert(command.begin(), "--with-services");
  return command;
}

int UpWithoutEngine(const GlobalOptions& options, UpArguments& arguments) {
  if (arguments.detached || arguments.open || arguments.watch) {
    throw specs::Error(specs::ErrorKind::kUsage,
                       "--detach, --open and --watch need a container engine, and --rootless "
                       "goes without one");
  }
  Session session(options);
  arguments.container.services = true;
  std::vector<std::string> command;
  if (arguments.shell) {
    command =
        ShellBesideServices(LoadForThisMachine(session, arguments.container.spec).spec, arguments);
  }
  return RunWithoutEngine(session, arguments.container, std::move(command));
}

void RequireSense(const UpArguments& arguments) {
  if (arguments.detached && (arguments.shell || arguments.watch)) {
    throw specs::Error(specs::ErrorKind::kUsage,
                       "--shell and --watch stay here, and --detach leaves");
  }
  if (arguments.shell && (arguments.open || arguments.watch)) {
    throw specs::Error(specs::ErrorKind::kUsage,
                       "--shell takes the terminal, where --open and --watch read the logs");
  }
}

int Up(const GlobalOptions& options, UpArguments& arguments) {
  if (arguments.rootless) return UpWithoutEngine(options, arguments);
  RequireSense(arguments);
  Session session(options);
  // Before the build: whoever forgot that it runs should not wait for that, and a change meanwhile
  // is one.
  const specs::LoadedSpec loaded = LoadForThisMachine(session, arguments.container.spec);
  RequireDown(session, EngineHere(), loaded.spec.image.name);
  std::optional<FileWatch> watch;
  if (arguments.watch) watch.emplace().Watch(PlacesOf(loaded));
  arguments.container.services = true;
  Container container = PrepareContainer(session, arguments.container);
  RunPlan& plan = container.plan;
  AddHome(plan);
  PublishPorts(session, plan, {});
  if (arguments.open && !AnnouncesAddress(loaded.spec)) {
    session.progress().Warning("no service announces an address that a browser could open");
    arguments.open = false;
  }
  if (!arguments.shell && (!arguments.detached || arguments.open)) {
    return Follow(session, options, arguments, std::move(container), watch ? &*watch : nullptr);
  }
  plan.detached = arguments.detached;
  if (plan.detached) plan.interactive = false;
  const specs::Spec& spec = container.loaded.spec;
  if (arguments.shell) {
    plan.command = ShellBesideServices(spec, arguments);
    plan.input = true;
  }
  if (plan.detached) {
    session.progress().Info(
        fmt::format("{0} starts in the background: `imgbuild logs {0}` shows its addresses, "
                    "`imgbuild down {0}` "
                    "ends it",
                    spec.image.name));
  }
  Become(session, container);
}

// Of `all`, those that run; where none does, what is left of others.
std::vector<FoundContainer> UpIfAny(const std::vector<FoundContainer>& all) {
  std::vector<FoundContainer> up;
  std::ranges::copy_if(all, std::back_inserter(up), &FoundContainer::IsUp);
  return up.empty() ? all : up;
}

// Those that are named; without names the only one.
std::vector<FoundContainer> Chosen(const Engine& engine, const std::vector<std::string>& names) {
  const std::vector<FoundContainer> found = FindContainers(engine);
  std::vector<FoundContainer> running = names.empty() ? UpIfAny(found) : found;
  if (running.empty()) {
    throw specs::Error("nothing is up").Hint("imgbuild up [SPEC] starts an environment");
  }
  std::vector<std::string> all;
  for (const FoundContainer& container : running) all.push_back(container.environment);
  if (names.empty()) {
    if (running.size() == 1) return running;
    throw specs::Error(specs::ErrorKind::kUsage, "several environments are up")
        .Found(specs::Join(all, ", "))
        .Hint("name one");
  }
  std::vector<FoundContainer> chosen;
  for (const std::string& name : names) {
    const auto one = std::ranges::find_if(running, [&](const FoundContainer& container) {
      return container.name == ContainerName(name) || container.name == name;
    });
    if (one == running.end()) {
      throw specs::Error(fmt::format("{} is not up", name))
          .Found("up are: " + specs::Join(all, ", "));
    }
    chosen.push_back(*one);
  }
  return chosen;
}

int Down(const GlobalOptions& options, const std::vector<std::string>& names) {
  Session session(options);
  const Engine engine = EngineHere();
  for (const FoundContainer& container : Chosen(engine, names)) {
    const auto added =
        container.IsUp() ? AddedPackages(engine, container.name) : std::vector<std::string>();
    if (!added.empty()) {
      session.progress().Info(RenderAdded(added, SpecOption(SpecOf(engine, container))));
    }
    RemoveContainer(engine, container);
    session.progress().Info(container.environment + " is down");
  }
  return 0;
}

int Ps(const GlobalOptions& options) {
  std::vector<FoundContainer> running = FindContainers(EngineHere());
  std::erase_if(running, [](const FoundContainer& container) { return !container.IsUp(); });
  if (options.style == ReportStyle::kJson) {
    for (const FoundContainer& container : running) {
      const nlohmann::ordered_json line = {{"environment", container.environment},
                                           {"container", container.name},
                                           {"status", container.status},
                                           {"ports", container.ports}};
      fmt::print("{}\n", line.dump());
    }
    return 0;
  }
  for (const FoundContainer& container : running) {
    fmt::print("{:<20} {:<20} {}\n", container.environment, container.status, container.ports);
  }
  return 0;
}

int Logs(const std::vector<std::string>& names, bool follow) {
  const Engine engine = EngineHere();
  std::vector<std::string> words = {engine.program, "logs"};
  if (follow) words.emplace_back("-f");
  words.push_back(Chosen(engine, names).front().name);
  BecomeProgram(std::move(words));
}

}  // namespace

void AddUpCommands(Command app, const GlobalOptions& options, RunCommand& run) {
  auto up = std::make_shared<UpArguments>();
  Command command = app.AddCommand(
      "up", "Build and start the environment's services; Ctrl-C stops and removes them");
  AddSpecOptions(command, up->container.spec);
  command.AddFlag("-d,--detach", up->detached, "In the background");
  command.AddFlag("--shell", up->shell, "A shell beside the services, which end with it");
  command.AddFlag("--open", up->open, "Open the first address in the browser when it is ready");
  command.AddFlag("--watch", up->watch,
                  "Build again and replace it when the spec or its files change");
  command.AddFlag("--rootless", up->rootless,
                  "Without a container engine, on this machine's own network");
  command.AddFlag("--locked", up->container.lock.locked, "Refuse to resolve: the lock must match");
  AddRegistryOptions(command, up->container.lock.registry);
  command.WhenGiven([&options, &run, up] { run = [&options, up] { return Up(options, *up); }; });

  auto down = std::make_shared<std::vector<std::string>>();
  command = app.AddCommand("down", "Stop what `up` started");
  command.AddOption("environment", *down, "Names, as `ps` shows them; the only one that is up")
      .TypeName("NAME");
  command.WhenGiven(
      [&options, &run, down] { run = [&options, down] { return Down(options, *down); }; });

  command = app.AddCommand("ps", "What `up` started and still runs");
  command.WhenGiven([&options, &run] { run = [&options] { return Ps(options); }; });

  struct LogsArguments {
    std::vector<std::string> names;
    bool follow = false;
  };
  auto logs = std::make_shared<LogsArguments>();
  command = app.AddCommand("logs", "What the services said");
  command.AddOption("environment", logs->names, "A name, as `ps` shows it")
      .TypeName("NAME")
      .AtMostOne();
  command.AddFlag("-f,--follow", logs->follow, "And go on");
  command.WhenGiven([&run, logs] { run = [logs] { return Logs(logs->names, logs->follow); }; });
}

}  // namespace imgbuild::builder
