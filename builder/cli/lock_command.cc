#include <fmt/core.h>

#include "builder/cli/command_line.h"
#include "builder/cli/commands.h"
#include "builder/cli/lock_session.h"
#include "builder/cli/registry_access.h"

namespace imgbuild::builder {
namespace {

struct LockArguments {
  SpecOptions spec;
  LockOptions lock;
  std::vector<std::string> upgrades;
};

int Lock(const GlobalOptions& options, LockArguments& arguments) {
  Session session(options);
  arguments.lock.relock = true;
  for (const std::string& name : arguments.upgrades) {
    const bool spec = name.ends_with(".toml");  // written after an --upgrade without a name
    if (spec || name.empty()) arguments.lock.upgrade_all = true;
    if (spec) arguments.spec.files.push_back(name);
    if (!spec && !name.empty()) arguments.lock.upgrades.insert(name);
  }
  if (arguments.spec.files.empty()) arguments.spec.files = {"spec.toml"};
  for (const std::string& file : arguments.spec.files) {
    const specs::LoadedSpec loaded = session.Load(arguments.spec, file);
    const FoundLock found = FindOrMakeLock(session, arguments.spec, loaded, arguments.lock);
    for (const specs::LockedPlatform& platform : found.lock.platforms) {
      session.progress().Info(fmt::format("{}: {} packages for {}", found.file,
                                          platform.packages.size(), platform.platform.Render()));
    }
  }
  return 0;
}

}  // namespace

void AddLockCommand(Command app, const GlobalOptions& options, RunCommand& run) {
  auto arguments = std::make_shared<LockArguments>();
  Command command = app.AddCommand("lock", "Resolve, and write NAME.lock beside the spec");
  AddSpecOptions(command, arguments->spec);
  const Option upgrade =
      command
          .AddOption("--upgrade", arguments->upgrades,
                     "Move to newer versions: of this package, or of all where none is named; "
                     "may be repeated")
          .TypeName("NAME")
          .AtMostOne()
          .Repeatable();
  AddRegistryOptions(command, arguments->lock.registry);
  command.WhenGiven([&options, &run, arguments, upgrade] {
    // --upgrade without a name means everything.
    arguments->lock.upgrade_all = upgrade.IsGiven() && arguments->upgrades.empty();
    run = [&options, arguments] { return Lock(options, *arguments); };
  });
}

}  // namespace imgbuild::builder
