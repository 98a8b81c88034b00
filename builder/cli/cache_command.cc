#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "builder/cli/commands.h"
#include "builder/cli/session.h"
#include "specs/base/error.h"

namespace imgbuild::builder {
namespace {

int Verify(const GlobalOptions& options) {
  Session session(options);
  const std::vector<layers::StoreFault> faults = session.store().Verify();
  for (const layers::StoreFault& fault : faults) {
    if (fault.kept_because.empty()) {
      fmt::print("removed {}: {}\n", fault.path.string(), fault.reason);
    } else {
      fmt::print("could not remove {}: {}\n  {}\n", fault.path.string(), fault.kept_because,
                 fault.reason);
    }
  }
  fmt::print("{} wrong entries in {}\n", faults.size(), session.store().paths().root().string());
  return faults.empty() ? 0 : static_cast<int>(specs::ErrorKind::kVerification);
}

}  // namespace

void AddCacheCommand(CLI::App& app, const GlobalOptions& options, RunCommand& run) {
  CLI::App* cache = app.add_subcommand("cache", "Look after the cache");
  cache->require_subcommand(1);
  cache->add_subcommand("verify", "Read every entry, remove what is wrong")
      ->callback([&options, &run] { run = [&options] { return Verify(options); }; });
  cache->add_subcommand("dir", "Print where the cache lies")->callback([&options, &run] {
    run = [&options] {
      fmt::print("{}\n", Session(options).store().paths().root().string());
      return 0;
    };
  });
}

}  // namespace imgbuild::builder
