#include "builder/registry/push.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "specs/base/error.h"
#include "specs/base/text.h"

namespace imgbuild::builder {
namespace {

using specs::Error;

// Whether the reference leads to that very document.
bool LeadsTo(Registry& registry, const std::string& reference,
             const specs::Descriptor& descriptor) {
  const HttpResponse response = registry.Send({.method = "HEAD",
                                               .path = "/manifests/" + reference,
                                               .headers = {{"Accept", descriptor.media_type}}});
  if (response.status == 404) return false;
  if (response.status != 200) throw registry.Failure("cannot ask for a manifest", response);
  const std::string_view digest = response.Header("Docker-Content-Digest");
  if (!digest.empty()) return digest == descriptor.digest.Oci();
  // The header is no duty: then the document itself tells.
  const HttpResponse document = registry.Send(
      {.path = "/manifests/" + reference, .headers = {{"Accept", descriptor.media_type}}});
  return document.status == 200 && specs::HashOf(document.body) == descriptor.digest;
}

void PutDocument(Registry& registry, const std::string& reference,
                 const layers::SourceDocument& document) {
  const HttpResponse response =
      registry.Send({.method = "PUT",
                     .path = "/manifests/" + reference,
                     .headers = {{"Content-Type", document.descriptor.media_type}},
                     .upload = HttpUpload{.bytes = document.bytes}});
  if (response.status != 201) throw registry.Failure("cannot put a manifest", response);
  const std::string_view digest = response.Header("Docker-Content-Digest");
  const bool same = digest.empty() ? LeadsTo(registry, reference, document.descriptor)
                                   : digest == document.descriptor.digest.Oci();
  if (!same) {
    throw Error(specs::ErrorKind::kVerification,
                fmt::format("{} took a manifest for another", registry.Name()))
        .Found(std::string(digest))
        .Expected(document.descriptor.digest.Oci());
  }
}

// All blobs, by several threads that each wait for one at a time; the largest first, so that the
// end is not one thread's.
class BlobPusher {
 public:
  BlobPusher(Registry& registry, PushMemory& memory, std::vector<PushBlob> blobs,
             const PushOptions& options, Progress& progress)
      : registry_(registry), memory_(memory), blobs_(std::move(blobs)), options_(options) {
    std::ranges::stable_sort(blobs_, std::greater(), &PushBlob::size);
    task_ = progress.Begin("Pushing blobs", ProgressUnit::kBytes);
    std::uint64_t total = 0;
    for (const PushBlob& blob : blobs_) total += blob.size;
    task_->SetTotal(total);
  }

  PushResult Run() {
    std::vector<std::thread> threads;
    const std::size_t jobs =
        std::min(blobs_.size(), static_cast<std::size_t>(std::max(options_.jobs, 1)));
    for (std::size_t i = 0; i < jobs; ++i) threads.emplace_back([this] { Work(); });
    for (std::thread& thread : threads) thread.join();
    if (failure_) std::rethrow_exception(failure_);
    task_->Finish(fmt::format("{}: {} sent, {} mounted, {} there before",
                              specs::Count(blobs_.size(), "blob"), result_.uploaded,
                              result_.mounted, result_.present));
    return result_;
  }

 private:
  void Work() {
    for (std::size_t i = next_++; i < blobs_.size() && !failed_; i = next_++) {
      try {
        const BlobResult done = UploadBlob(
            registry_, memory_, blobs_[i], [this](std::uint64_t bytes) { task_->Advance(bytes); },
            options_.upload);
        Count(done);
      } catch (...) {
        std::lock_guard lock(mutex_);
        if (!failed_.exchange(true)) failure_ = std::current_exception();
      }
    }
  }

  void Count(const BlobResult& done) {
    std::lock_guard lock(mutex_);
    result_.bytes_sent += done.bytes_sent;
    switch (done.outcome) {
      case BlobOutcome::kPresent:
        ++result_.present;
        break;
      case BlobOutcome::kMounted:
        ++result_.mounted;
        break;
      case BlobOutcome::kUploaded:
        ++result_.uploaded;
        break;
    }
  }

  Registry& registry_;
  PushMemory& memory_;
  std::vector<PushBlob> blobs_;
  const PushOptions& options_;
  std::unique_ptr<ProgressTask> task_;
  std::atomic<std::size_t> next_ = 0;
  std::atomic<bool> failed_ = false;
  std::mutex mutex_;
  std::exception_ptr failure_;
  PushResult result_;
};

}  // namespace

PushResult PushImage(Registry& registry, PushMemory& memory, const layers::ImageSource& image,
                     const PushOptions& options, Progress& progress) {
  const layers::SourceDocument& root = image.documents.back();
  std::vector<std::string> references;
  for (const std::string& tag : options.tags) {
    if (!LeadsTo(registry, tag, root.descriptor)) references.push_back(tag);
  }
  if (options.tags.empty()) references.push_back(root.descriptor.digest.Oci());
  if (references.empty()) return {.unchanged = true};

  PushResult result;
  if (!LeadsTo(registry, root.descriptor.digest.Oci(), root.descriptor)) {
    std::vector<PushBlob> blobs;
    for (const layers::SourceBlob& blob : image.blobs) {
      blobs.push_back({blob.descriptor.digest, blob.descriptor.size, blob.path});
    }
    result = BlobPusher(registry, memory, std::move(blobs), options, progress).Run();
    for (std::size_t i = 0; i + 1 < image.documents.size(); ++i) {
      const layers::SourceDocument& document = image.documents[i];
      PutDocument(registry, document.descriptor.digest.Oci(), document);
    }
  }
  for (const std::string& reference : references) PutDocument(registry, reference, root);
  return result;
}

}  // namespace imgbuild::builder
