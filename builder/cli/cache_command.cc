#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "builder/cli/command_line.h"
#include "builder/cli/commands.h"
#include "builder/cli/session.h"
#include "builder/rootless/image_tree.h"
#include "layers/image/placed_blobs.h"
#include "layers/store/collect.h"
#include "specs/base/error.h"
#include "specs/base/measure.h"
#include "specs/base/text.h"

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

struct CollectArguments {
  std::string max_size;
  std::string max_age;
  bool dry_run = false;
};

layers::CollectLimits LimitsOf(const CollectArguments& arguments) {
  layers::CollectLimits limits;
  if (!arguments.max_size.empty()) {
    limits.max_size = specs::ParseSize(arguments.max_size);
    if (!limits.max_size) {
      throw specs::Error(specs::ErrorKind::kUsage, "--max-size is no size")
          .Found(arguments.max_size)
          .Expected("such as 20GB");
    }
  }
  const std::string age = arguments.max_age.empty() && !limits.max_size ? "30d" : arguments.max_age;
  if (!age.empty()) {
    const auto milliseconds = specs::ParseDuration(age);
    if (!milliseconds) {
      throw specs::Error(specs::ErrorKind::kUsage, "--max-age is no duration")
          .Found(age)
          .Expected("such as 30d or 12h");
    }
    limits.max_age = static_cast<std::int64_t>(*milliseconds / 1000);
  }
  return limits;
}

struct KindTotal {
  std::uint64_t entries = 0;
  std::uint64_t bytes = 0;
};

std::map<std::string_view, KindTotal> TotalsOf(const layers::CollectPlan& plan) {
  std::map<std::string_view, KindTotal> totals;
  for (const layers::CacheEntry& entry : plan.remove) {
    KindTotal& total = totals[layers::CacheKindName(entry.kind)];
    ++total.entries;
    total.bytes += entry.size;
  }
  return totals;
}

void PrintPlan(const layers::CollectPlan& plan, const CollectArguments& arguments,
               Verbosity verbosity) {
  if (verbosity == Verbosity::kVerbose) {
    for (const layers::CacheEntry& entry : plan.remove) {
      fmt::print("{:>8}  {}\n", specs::HumanBytes(entry.size), entry.names.front().string());
    }
  }
  for (const auto& [kind, total] : TotalsOf(plan)) {
    fmt::print("{:<10} {:>8}  {} entries\n", kind, specs::HumanBytes(total.bytes), total.entries);
  }
  fmt::print("{} {} of {}, {} is in use\n", arguments.dry_run ? "would remove" : "removing",
             specs::HumanBytes(plan.removed), specs::HumanBytes(plan.size),
             specs::HumanBytes(plan.in_use));
}

void PrintPlanJson(const layers::CollectPlan& plan, const CollectArguments& arguments) {
  nlohmann::ordered_json kinds = nlohmann::ordered_json::object();
  for (const auto& [kind, total] : TotalsOf(plan)) {
    kinds[std::string(kind)] = {{"entries", total.entries}, {"bytes", total.bytes}};
  }
  const nlohmann::ordered_json event = {{"event", "gc"},         {"dry-run", arguments.dry_run},
                                        {"bytes", plan.size},    {"removed", plan.removed},
                                        {"in-use", plan.in_use}, {"kinds", std::move(kinds)}};
  fmt::print("{}\n", event.dump());
}

// Those of `run --rootless`. One that cannot go does not keep the others.
void RemoveImageTrees(Session& session, const layers::CollectPlan& plan) {
  for (const layers::CacheEntry& entry : plan.remove) {
    if (entry.kind != layers::CacheKind::kRootless) continue;
    const std::string tree = entry.names.front().string();
    try {
      if (RemoveImageTree(session.store(), tree)) continue;
      session.progress().Warning(
          fmt::format("{} stays: it is in use, or has files of users that this machine grants no "
                      "more",
                      tree));
    } catch (const specs::Error& error) {
      session.progress().Warning(fmt::format("{} stays: {}", tree, error.message()));
    }
  }
}

int Collect(const GlobalOptions& options, const CollectArguments& arguments) {
  const layers::CollectLimits limits = LimitsOf(arguments);
  Session session(options);
  layers::Collector collector(session.store());
  const std::set<specs::Sha256> in_use = layers::BlobsOfLayouts(session.store().paths());
  const layers::CollectPlan plan = collector.Plan(limits, in_use, session.now());
  if (!collector.alone()) {
    session.progress().Info("others work in this cache: what was used within a day stays");
  }
  if (options.style == ReportStyle::kJson) {
    PrintPlanJson(plan, arguments);
  } else {
    PrintPlan(plan, arguments, options.verbosity);
  }
  if (arguments.dry_run) return 0;
  collector.Remove(plan);
  RemoveImageTrees(session, plan);
  return 0;
}

void AddCollectCommand(Command cache, const GlobalOptions& options, RunCommand& run) {
  auto arguments = std::make_shared<CollectArguments>();
  Command command = cache.AddCommand(
      "gc", "Remove what was not used for long, but for images that lie in layouts");
  command.AddOption("--max-age", arguments->max_age, "What was not used for that long: 30d, 12h")
      .TypeName("DURATION");
  command
      .AddOption("--max-size", arguments->max_size,
                 "And the oldest, until the cache is no larger: 20GB")
      .TypeName("SIZE");
  command.AddFlag("--dry-run", arguments->dry_run, "Only say what would go");
  command.WhenGiven([&options, &run, arguments] {
    run = [&options, arguments] { return Collect(options, *arguments); };
  });
}

}  // namespace

void AddCacheCommand(Command app, const GlobalOptions& options, RunCommand& run) {
  Command cache = app.AddCommand("cache", "Look after the cache");
  cache.RequireCommand();
  cache.AddCommand("verify", "Read every entry, remove what is wrong").WhenGiven([&options, &run] {
    run = [&options] { return Verify(options); };
  });
  AddCollectCommand(cache, options, run);
  cache.AddCommand("dir", "Print where the cache lies").WhenGiven([&options, &run] {
    run = [&options] {
      fmt::print("{}\n", Session(options).store().paths().root().string());
      return 0;
    };
  });
}

}  // namespace imgbuild::builder
