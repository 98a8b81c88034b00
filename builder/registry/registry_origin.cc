#include "builder/registry/registry_origin.h"

#include <algorithm>
#include <filesystem>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include "builder/registry/blob_stream.h"
#include "layers/io/file.h"
#include "layers/io/in_parallel.h"
#include "specs/base/error.h"
#include "specs/base/text.h"
#include "specs/oci/json_document.h"

namespace imgbuild::builder {
namespace {

using specs::Descriptor;
using specs::Error;
using specs::ErrorKind;

Error Missing(const Registry& registry, const std::string& reference) {
  return Error(fmt::format("{} has no {} {}", registry.Name(),
                           reference.find(':') == std::string::npos ? "tag" : "image", reference))
      .Hint(fmt::format("its tags: imgbuild tags {}", registry.Name()));
}

}  // namespace

RegistryOrigin::RegistryOrigin(std::vector<std::unique_ptr<Registry>> registries,
                               layers::Store& store, std::string reference, Progress& progress,
                               PullOptions options)
    : registries_(std::move(registries)),
      store_(store),
      reference_(std::move(reference)),
      progress_(progress),
      options_(options),
      down_(options_.down != nullptr ? *options_.down : own_down_) {}

std::size_t RegistryOrigin::NextUp(std::size_t index) const {
  while (index + 1 < registries_.size() && down_.Has(registries_[index]->endpoint().host)) ++index;
  return index;
}

template <typename Action>
auto RegistryOrigin::FromAny(Action&& action) {
  for (std::size_t i = NextUp(chosen_);; i = NextUp(i + 1)) {
    Registry& registry = *registries_[i];
    const bool last = i + 1 >= registries_.size();
    const std::uint64_t answers = registry.answers();
    try {
      return action(Place{i, registry, last || answers > 0 ? 0 : 1});
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::kInterrupted || last) throw;
      // Neither this nor what else was asked of it meanwhile.
      if (registry.answers() == answers) down_.Add(registry.endpoint().host);
      progress_.Detail(
          fmt::format("{}: {}; the next one is asked", registry.Name(), error.message()));
    }
  }
}

specs::Descriptor RegistryOrigin::Root() {
  if (root_) return root_->descriptor;
  root_ = FromAny([&](const Place& place) {
    std::optional<FetchedManifest> found =
        FetchManifest(place.registry, reference_, place.max_tries);
    if (!found) throw Missing(place.registry, reference_);
    chosen_ = place.index;
    return *std::move(found);
  });
  if (!FromStore(root_->descriptor)) store_.PutBlob(root_->descriptor.digest, root_->bytes);
  const std::lock_guard lock(mutex_);
  documents_[root_->descriptor.digest] = root_->bytes;
  return root_->descriptor;
}

Registry& RegistryOrigin::registry() {
  (void)Root();
  return *registries_[chosen_];
}

// What is wrong there is as good as missing: it is fetched again.
std::optional<std::string> RegistryOrigin::FromStore(const Descriptor& document) const {
  const auto path = store_.FindBlob(document.digest, document.size);
  if (!path) return std::nullopt;
  try {
    std::string bytes = layers::ReadFile(*path, specs::kMaxDocument);
    if (specs::HashOf(bytes) == document.digest) return bytes;
  } catch (const Error&) {  // gone by now
  }
  return std::nullopt;
}

void RegistryOrigin::Expect(const std::vector<Descriptor>& documents) {
  std::vector<const Descriptor*> missing;
  for (const Descriptor& document : documents) {
    if (document.size <= specs::kMaxDocument && !FromStore(document)) missing.push_back(&document);
  }
  // A single one is read when it is wanted.
  if (missing.size() < 2) return;
  layers::InParallel(missing.size(), options_.jobs,
                     [&](std::size_t i) { ReadDocument(*missing[i]); });
}

std::string RegistryOrigin::ReadDocument(const Descriptor& document) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = documents_.find(document.digest);
    if (found != documents_.end()) return found->second;
  }
  std::optional<std::string> bytes = FromStore(document);
  if (!bytes) {
    bytes = FromAny([&](const Place& place) {
      return FetchManifest(place.registry, document, place.max_tries).bytes;
    });
    store_.PutBlob(document.digest, *bytes);
  }
  return *bytes;
}

std::string RegistryOrigin::ReadConfig(const Descriptor& config) {
  std::optional<std::string> bytes = FromStore(config);
  if (!bytes) {
    bytes = FromAny([&](const Place& place) {
      return FetchSmallBlob(place.registry, config, place.max_tries);
    });
    store_.PutBlob(config.digest, *bytes);
  }
  return *bytes;
}

std::vector<layers::SourceBlob> RegistryOrigin::Files(const std::vector<Descriptor>& blobs) {
  std::vector<const Descriptor*> order;
  std::uint64_t total = 0;
  for (const Descriptor& blob : blobs) {
    order.push_back(&blob);
    total += blob.size;
  }
  // The largest first, so that the end is not one thread's.
  std::ranges::stable_sort(order, std::greater(), &Descriptor::size);
  const std::unique_ptr<ProgressTask> task =
      progress_.Begin("Fetching blobs", ProgressUnit::kBytes);
  task->SetTotal(total);
  layers::InParallel(order.size(), options_.jobs, [&](std::size_t i) {
    const FetchResult fetched = FromAny([&](const Place& place) {
      FetchOptions options = options_.fetch;
      if (place.max_tries > 0) options.max_failures = place.max_tries;
      return FetchBlob(
          place.registry, store_, *order[i], [&](std::uint64_t bytes) { task->Advance(bytes); },
          options);
    });
    const std::lock_guard lock(mutex_);
    ++(fetched.present ? result_.present : result_.fetched);
    result_.bytes_received += fetched.bytes_received;
  });
  task->Finish(fmt::format("{}: {} fetched, {} there before", specs::Count(blobs.size(), "blob"),
                           result_.fetched, result_.present));
  std::vector<layers::SourceBlob> files;
  for (const Descriptor& blob : blobs) files.push_back({blob, store_.paths().Blob(blob.digest)});
  return files;
}

void RegistryOrigin::ReadOne(const Descriptor& blob,
                             const std::function<void(layers::Source&)>& take, ProgressTask& task) {
  std::optional<std::filesystem::path> file = store_.FindBlob(blob.digest, blob.size);
  BlobStream stream(
      blob.size,
      [&](std::uint64_t offset, std::uint64_t size) {
        std::string bytes = FromAny([&](const Place& place) {
          return FetchStretch(place.registry, blob, offset, size, place.max_tries);
        });
        task.Advance(bytes.size());
        const std::lock_guard lock(mutex_);
        result_.bytes_received += bytes.size();
        return bytes;
      },
      options_.stretch);
  if (!file) {
    try {
      stream.Start();
    } catch (const RangesRefused&) {
      file = Files({blob}).front().path;
    }
  }
  if (!file) {
    take(stream);
    const std::lock_guard lock(mutex_);
    ++result_.fetched;
    return;
  }
  layers::FileSource source(*file);
  take(source);
  task.Advance(blob.size);
}

void RegistryOrigin::Read(const std::vector<Descriptor>& blobs, const TakeBytes& take) {
  std::vector<std::size_t> order(blobs.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, std::greater(), [&](std::size_t i) { return blobs[i].size; });
  std::uint64_t total = 0;
  for (const Descriptor& blob : blobs) total += blob.size;
  const std::unique_ptr<ProgressTask> task =
      progress_.Begin("Reading layers", ProgressUnit::kBytes);
  task->SetTotal(total);
  layers::InParallel(order.size(), options_.jobs, [&](std::size_t n) {
    const std::size_t i = order[n];
    ReadOne(
        blobs[i], [&](layers::Source& source) { take(i, source); }, *task);
  });
  task->Finish(specs::Count(blobs.size(), "layer"));
}

}  // namespace imgbuild::builder
