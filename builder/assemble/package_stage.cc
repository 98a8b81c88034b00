#include "builder/assemble/package_stage.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include <fmt/core.h>

#include "builder/assemble/use_archive.h"
#include "builder/assemble/work_group.h"
#include "specs/base/text.h"

namespace imgbuild::builder {
namespace {

using specs::LockedPackage;

// Reads the facts of what the store has, on all threads.
std::vector<std::size_t> FindAll(const specs::LockedPlatform& locked, const PackageMaker& maker,
                                 layers::Executor& executor, std::vector<ReadyPackage>& ready) {
  std::vector<char> found(locked.packages.size(), 0);
  WorkGroup group(executor);
  constexpr std::size_t kChunk = 16;
  for (std::size_t begin = 0; begin < locked.packages.size(); begin += kChunk) {
    group.Add([&, begin] {
      const std::size_t end = std::min(begin + kChunk, locked.packages.size());
      for (std::size_t i = begin; i < end; ++i) {
        if (auto package = maker.Find(locked.packages[i])) {
          ready[i] = *std::move(package);
          found[i] = 1;
        }
      }
    });
  }
  group.Wait();
  std::vector<std::size_t> missing;
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (found[i] == 0) missing.push_back(i);
  }
  return missing;
}

// Facts of what others made; returns what nobody did.
std::vector<std::size_t> AdoptShared(const specs::LockedPlatform& locked, PackageMaker& maker,
                                     const std::vector<std::size_t>& missing, SharedCache& shared,
                                     std::vector<ReadyPackage>& ready) {
  std::vector<specs::Sha256> keys;
  for (std::size_t index : missing) keys.push_back(maker.Key(locked.packages[index]));
  const std::vector<std::optional<std::string>> records = shared.FindPackages(keys, maker.codec());
  std::vector<std::size_t> rest;
  for (std::size_t i = 0; i < missing.size(); ++i) {
    std::optional<ReadyPackage> package;
    if (records[i]) package = maker.Adopt(locked.packages[missing[i]], *records[i]);
    if (package) {
      ready[missing[i]] = *std::move(package);
    } else {
      rest.push_back(missing[i]);
    }
  }
  return rest;
}

}  // namespace

std::vector<ReadyPackage> PreparePackages(const specs::LockedPlatform& locked, PackageMaker& maker,
                                          const PackageTools& tools) {
  Fetcher& fetcher = tools.fetcher;
  std::vector<ReadyPackage> ready(locked.packages.size());
  std::vector<std::size_t> missing = FindAll(locked, maker, tools.executor, ready);
  if (!missing.empty() && tools.shared != nullptr) {
    missing = AdoptShared(locked, maker, missing, *tools.shared, ready);
  }
  if (missing.empty()) return ready;
  // The largest take longest: begun last, they would run alone at the end.
  std::stable_sort(missing.begin(), missing.end(), [&](std::size_t a, std::size_t b) {
    return locked.packages[a].size > locked.packages[b].size;
  });
  std::vector<const LockedPackage*> wanted;
  std::map<const LockedPackage*, std::size_t> positions;
  for (std::size_t index : missing) {
    wanted.push_back(&locked.packages[index]);
    positions[wanted.back()] = index;
  }
  const std::vector<const LockedPackage*> remote = fetcher.Missing(wanted);
  const std::set<const LockedPackage*> coming(remote.begin(), remote.end());
  std::vector<const LockedPackage*> there;
  for (const LockedPackage* package : wanted) {
    if (!coming.contains(package)) there.push_back(package);
  }

  auto task = tools.progress.Begin("Unpacking packages", ProgressUnit::kItems);
  task->SetTotal(missing.size());
  {
    WorkGroup group(tools.executor);
    auto make = [&](const LockedPackage* package) {
      group.Add([&, package] {
        task->SetDetail(package->name);
        const auto step = tools.progress.Step("Unpacking", package->name);
        const auto unpack = [&](const std::filesystem::path& archive) {
          return maker.Make(*package, archive);
        };
        ready[positions.at(package)] = UseArchive(*package, fetcher, unpack);
        task->Advance(1);
      });
    };
    for (std::size_t i = 0; i < remote.size(); ++i) group.Expect();
    auto fetched = [&](const LockedPackage& package, Fetcher::Result result) {
      if (auto* error = std::get_if<specs::Error>(&result)) {
        group.Fail(std::make_exception_ptr(std::move(*error)));
        return;
      }
      make(&package);
      group.Done();
    };
    for (const LockedPackage* package : there) make(package);
    try {
      fetcher.Fetch(remote, fetched, [&group] { return !group.failed(); });
    } catch (...) {
      // Nothing was started, so nobody else ends what the group expects.
      for (std::size_t i = 0; i < remote.size(); ++i) group.Fail(std::current_exception());
    }
    group.Wait();  // what the tasks and callbacks borrow lives until then
  }
  task->Finish(specs::Count(missing.size(), "package"));
  return ready;
}

}  // namespace imgbuild::builder
