#include "builder/cli/locator.h"

#include <condition_variable>
#include <mutex>

#include <fmt/core.h>

#include "builder/assemble/artifacts.h"
#include "builder/debian/deb_address.h"
#include "builder/pypi/index_client.h"

namespace imgbuild::builder {

using specs::kArtifactSource;
using specs::LockedPackage;

void MirrorLocator::Prepare(std::span<const LockedPackage* const> packages) {
  std::vector<const LockedPackage*> wheels;
  {
    std::lock_guard lock(mutex_);
    for (const LockedPackage* package : packages) {
      const bool known = wheels_.contains(package->file) || package->source == kArtifactSource;
      if (package->kind == specs::PackageKind::kWheel && !known) wheels.push_back(package);
    }
  }
  if (wheels.empty()) return;
  // Not under the lock: others may want addresses meanwhile.
  std::map<std::string, ArchiveAddress> found = FindWheels(wheels, Freshness::kWithinLifetime);
  // Whoever made the lock may have seen a newer page than the one in the cache.
  std::erase_if(wheels, [&](const LockedPackage* wheel) { return found.contains(wheel->file); });
  if (!wheels.empty() && session_.connectivity() == Connectivity::kOnline) {
    found.merge(FindWheels(wheels, Freshness::kAskAgain));
  }
  std::lock_guard lock(mutex_);
  wheels_.merge(found);
}

std::map<std::string, ArchiveAddress> MirrorLocator::FindWheels(
    const std::vector<const LockedPackage*>& wheels, Freshness freshness) {
  // Shared with the callbacks.
  std::mutex mutex;
  std::condition_variable all;
  std::size_t left = wheels.size();
  std::optional<specs::Error> failure;
  std::map<std::string, ArchiveAddress> addresses;
  // Not the session's: whoever waits here may be on one of its threads, or on all of them.
  layers::ThreadExecutor executor(session_.executor().width());
  IndexClient client(session_.http(), executor, session_.Indexes(spec_),
                     {.cache_folder = session_.store().IndexDirectory("python"),
                      .connectivity = session_.connectivity(),
                      .now = session_.now(),
                      .freshness = freshness});
  for (const LockedPackage* wheel : wheels) {
    client.Request(wheel->name, [&, wheel](PageResult result) {
      std::lock_guard lock(mutex);
      if (auto* error = std::get_if<specs::Error>(&result)) {
        if (!failure) failure = std::move(*error);
      } else if (auto* found = std::get_if<FoundPage>(&result)) {
        for (std::size_t i = 0; i < found->page.size(); ++i) {
          if (found->page.filename(i) != wheel->file) continue;
          std::string url = found->page.file(i).url;
          std::vector<HttpHeader> headers = found->index->HeadersFor(url);
          addresses[wheel->file] = {.url = std::move(url),
                                    .origin = "the " + found->index->Shown(),
                                    .headers = std::move(headers)};
        }
      }
      if (--left == 0) all.notify_all();
    });
  }
  std::unique_lock lock(mutex);
  all.wait(lock, [&] { return left == 0; });
  if (failure) throw std::move(*failure);
  return addresses;
}

void MirrorLocator::FindMirrors() {
  std::call_once(mirrors_found_, [this] {
    mirrors_ = session_.Mirrors(spec_);
    snapshot_ = session_.SnapshotTemplate(spec_);
  });
}

std::vector<ArchiveAddress> MirrorLocator::Addresses(const LockedPackage& package) {
  if (package.source == kArtifactSource) return {{package.path, "artifacts"}};
  if (package.kind == specs::PackageKind::kWheel) {
    std::lock_guard lock(mutex_);
    auto found = wheels_.find(package.file);
    if (found == wheels_.end()) return {};
    return {found->second};
  }
  FindMirrors();
  std::vector<ArchiveAddress> addresses;
  for (DownloadAddress& address : DebAddresses(package, lock_.suites, mirrors_, snapshot_)) {
    addresses.push_back({std::move(address.url), std::move(address.origin)});
  }
  return addresses;
}

specs::Error MirrorLocator::Gone(const LockedPackage& package,
                                 const std::vector<ArchiveAddress>& tried) {
  if (package.source == kArtifactSource) {
    return specs::Error(fmt::format("there is no {}", RedactUrl(package.path)))
        .Hint("correct url of the entry in [[artifacts]]");
  }
  if (package.kind == specs::PackageKind::kDeb) {
    std::vector<DownloadAddress> addresses;
    for (const ArchiveAddress& address : tried) addresses.push_back({address.url, address.origin});
    FindMirrors();
    return SupersededDeb(package, addresses, snapshot_, spec_file_);
  }
  return specs::Error(
             fmt::format("the index \"{}\" has no {} any more", package.source, package.file))
      .Hint("move to a version it has: " + specs::LockCommand(spec_file_, package.name));
}

}  // namespace imgbuild::builder
