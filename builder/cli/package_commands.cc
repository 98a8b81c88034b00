// imgbuild add and remove: packages in the spec and its lock, together or not at all.
#include <map>

#include <fmt/core.h>

#include "builder/cli/command_line.h"
#include "builder/cli/commands.h"
#include "builder/cli/lock_session.h"
#include "builder/cli/registry_access.h"
#include "layers/io/atomic_file.h"
#include "layers/io/file.h"
#include "specs/base/error.h"
#include "specs/base/text.h"
#include "specs/env/spec_edit.h"

namespace imgbuild::builder {
namespace {

constexpr std::uint64_t kLargestSpec = 16u << 20;

struct PackageArguments {
  std::vector<std::string> packages;
  std::string spec = "spec.toml";
  std::string layer;
  bool system = false;
  LockOptions lock;
};

std::optional<specs::PackageList> ListOf(const PackageArguments& arguments) {
  using Kind = specs::PackageList::Kind;
  if (arguments.system && !arguments.layer.empty()) {
    throw specs::Error(specs::ErrorKind::kUsage, "--system packages are in no named layer");
  }
  if (arguments.system) return specs::PackageList{Kind::kSystem, ""};
  if (!arguments.layer.empty()) return specs::PackageList{Kind::kLayer, arguments.layer};
  return std::nullopt;
}

using Versions = std::map<std::string, std::string>;  // "numpy" -> "2.1.0"

// Of all platforms, which have the same but for what only one of them needs.
Versions VersionsOf(const specs::Lock& lock) {
  Versions versions;
  for (const specs::LockedPlatform& platform : lock.platforms) {
    for (const specs::LockedPackage& package : platform.packages) {
      versions[package.name] = package.version;
    }
  }
  return versions;
}

Versions VersionsBefore(const std::string& lock_file) {
  std::error_code error;
  if (!std::filesystem::exists(lock_file, error)) return {};
  return VersionsOf(specs::ParseLock(layers::ReadFile(lock_file, 256u << 20), lock_file));
}

// "+ rich 13.9.4", "- six 1.16.0", "~ attrs 24.1.0 -> 24.2.0"
void ReportLock(Session& session, const Versions& before, const Versions& after) {
  for (const auto& [name, version] : after) {
    const auto old = before.find(name);
    if (old == before.end()) {
      session.progress().Info(fmt::format("  + {} {}", name, version));
    } else if (old->second != version) {
      session.progress().Info(fmt::format("  ~ {} {} -> {}", name, old->second, version));
    }
  }
  for (const auto& [name, version] : before) {
    if (!after.contains(name)) session.progress().Info(fmt::format("  - {} {}", name, version));
  }
}

void ReportChange(Session& session, const specs::PackageChange& change, const std::string& file) {
  const std::string where = fmt::format("{} of {}", change.list.Render(), file);
  if (change.package.empty()) {
    session.progress().Info(fmt::format("removed {} from {}", change.before, where));
  } else if (change.before.empty()) {
    session.progress().Info(fmt::format("added {} to {}", change.package, where));
  } else {
    session.progress().Info(
        fmt::format("{} in place of {} in {}", change.package, change.before, where));
  }
}

// Resolves with the edited text while the file is as it was: whatever goes wrong leaves both spec
// and lock alone.
int Apply(Session& session, const PackageArguments& arguments, const std::string& before,
          const specs::EditedSpec& edited) {
  const std::string& file = arguments.spec;
  if (edited.changes.empty()) {
    session.progress().Info(fmt::format("{} has all of that already", file));
    return 0;
  }
  // The committed spec and lock: a machine's own switches do not belong into them.
  const SpecOptions plain{.files = {file},
                          .settings = {},
                          .platforms = {},
                          .no_local = true,
                          .local_files = LocalFiles::kIgnored};
  const Versions versions = VersionsBefore(specs::LockPath(file));
  session.ReadInstead(file, edited.text);
  const FoundLock found = specs::WithContext(
      fmt::format("with these packages; {} is as it was", file),
      [&] { return FindOrMakeLock(session, plain, session.Load(plain, file), arguments.lock); });
  if (layers::ReadFile(file, kLargestSpec) != before) {
    throw specs::Error(fmt::format("{} was changed by somebody else meanwhile", file))
        .Hint("do it again");
  }
  layers::WriteFileAtomically(file, edited.text);
  for (const specs::PackageChange& change : edited.changes) ReportChange(session, change, file);
  ReportLock(session, versions, VersionsOf(found.lock));
  return 0;
}

std::string ReadSpec(const std::string& file) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(file, error)) {
    throw specs::Error(specs::ErrorKind::kUsage, fmt::format("there is no spec {}", file))
        .Hint("imgbuild init writes one; --spec FILE names another");
  }
  return layers::ReadFile(file, kLargestSpec);
}

int Add(const GlobalOptions& options, const PackageArguments& arguments) {
  Session session(options);
  const std::string text = ReadSpec(arguments.spec);
  const specs::PackageList list = ListOf(arguments).value_or(specs::PackageList{});
  return Apply(session, arguments, text,
               specs::AddPackages(text, arguments.spec, list, arguments.packages));
}

int Remove(const GlobalOptions& options, const PackageArguments& arguments) {
  Session session(options);
  const std::string text = ReadSpec(arguments.spec);
  return Apply(session, arguments, text,
               specs::RemovePackages(text, arguments.spec, ListOf(arguments), arguments.packages));
}

using Action = int (*)(const GlobalOptions&, const PackageArguments&);

void AddOne(Command app, const GlobalOptions& options, RunCommand& run, const char* name,
            const char* description, Action action) {
  auto arguments = std::make_shared<PackageArguments>();
  Command command = app.AddCommand(name, description);
  command
      .AddOption("packages", arguments->packages, "Packages of [python], or with --system Debian's")
      .TypeName("PKG")
      .Required();
  command.AddOption("--spec", arguments->spec, "The spec; spec.toml where none is given")
      .TypeName("SPEC");
  command.AddOption("--layer", arguments->layer, "In this one of [[python.layers]]")
      .TypeName("NAME");
  command.AddFlag("--system", arguments->system, "In system.packages");
  AddRegistryOptions(command, arguments->lock.registry);
  command.WhenGiven([&options, &run, arguments, action] {
    run = [&options, arguments, action] { return action(options, *arguments); };
  });
}

}  // namespace

void AddPackageCommands(Command app, const GlobalOptions& options, RunCommand& run) {
  AddOne(app, options, run, "add", "Add packages to the spec, and lock them", Add);
  AddOne(app, options, run, "remove", "Remove packages from spec and lock", Remove);
}

}  // namespace imgbuild::builder
