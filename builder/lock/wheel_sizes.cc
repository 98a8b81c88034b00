#include "builder/lock/wheel_sizes.h"

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>

#include "specs/base/text.h"

namespace imgbuild::builder {
namespace {

using specs::LockedPackage;

std::map<specs::Sha256, std::uint64_t> KnownSizes(const specs::Lock* previous) {
  std::map<specs::Sha256, std::uint64_t> known;
  if (previous == nullptr) return known;
  for (const specs::LockedPlatform& platform : previous->platforms) {
    for (const LockedPackage& package : platform.packages) known[package.sha256] = package.size;
  }
  return known;
}

void Ask(const Resolution& resolution, const std::vector<LockedPackage*>& wheels,
         LockContext& context) {
  std::mutex mutex;
  std::condition_variable all;
  std::size_t left = wheels.size();
  for (LockedPackage* wheel : wheels) {
    const ResolvedPackage& found =
        *std::ranges::find(resolution.packages, wheel->name, &ResolvedPackage::name);
    context.http.Start({.method = "HEAD", .url = found.url, .headers = FileHeaders(found, context)},
                       [&, wheel](HttpResult result) {
                         const auto* answer = std::get_if<HttpResponse>(&result);
                         std::lock_guard lock(mutex);
                         if (answer != nullptr && answer->status == 200) {
                           wheel->size =
                               specs::ParseUnsigned(answer->Header("Content-Length")).value_or(0);
                         }
                         if (--left == 0) all.notify_all();
                       });
  }
  std::unique_lock lock(mutex);
  all.wait(lock, [&] { return left == 0; });
}

}  // namespace

void FindSizes(const Resolution& resolution, const specs::Lock* previous, LockContext& context,
               std::vector<LockedPackage>& wheels) {
  const std::map<specs::Sha256, std::uint64_t> known = KnownSizes(previous);
  std::vector<LockedPackage*> unknown;
  for (LockedPackage& wheel : wheels) {
    if (wheel.size != 0) continue;
    if (const auto size = known.find(wheel.sha256); size != known.end()) wheel.size = size->second;
    if (wheel.size == 0) unknown.push_back(&wheel);
  }
  if (context.connectivity == Connectivity::kOnline) Ask(resolution, unknown, context);
}

std::vector<HttpHeader> FileHeaders(const ResolvedPackage& package, const LockContext& context) {
  const auto index = std::ranges::find(context.indexes, package.index, &IndexConfig::name);
  return index != context.indexes.end() ? index->HeadersFor(package.url)
                                        : std::vector<HttpHeader>();
}

}  // namespace imgbuild::builder
