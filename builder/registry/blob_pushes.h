// Blobs on their way into one repository: several at once, the largest of those that wait first,
// given while others are under way.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "builder/registry/blob_upload.h"
#include "builder/registry/push_memory.h"
#include "builder/registry/registry.h"
#include "builder/ui/progress.h"
#include "specs/base/digest.h"

namespace imgbuild::builder {

struct PushResult {
  std::size_t present = 0;  // blobs
  std::size_t mounted = 0;
  std::size_t uploaded = 0;
  std::uint64_t bytes_sent = 0;
  bool unchanged = false;  // every tag led to the image already

  bool operator==(const PushResult&) const = default;
};

// One task for all of them, with what is left to send and the rate, and one for each blob that is
// being sent, which leaves no line. Several with one memory send a blob to one registry by turns.
class BlobPushes {
 public:
  // `jobs` uploads at once. Borrows all but the numbers.
  BlobPushes(Registry& registry, PushMemory& memory, int jobs, UploadOptions upload,
             Progress& progress);
  // Waits for what is under way, drops the rest.
  ~BlobPushes();
  BlobPushes(const BlobPushes&) = delete;
  BlobPushes& operator=(const BlobPushes&) = delete;

  // Does not block. A digest that was given before is left out, and so is everything after a
  // failure. Thread-safe.
  void Add(PushBlob blob);

  // Waits for all. Throws what the first failure threw, after what was under way. Once.
  PushResult Finish();

 private:
  using Clock = std::chrono::steady_clock;

  void Work();
  void Stop();
  BlobResult Send(const PushBlob& blob);
  void Count(const PushBlob& blob, const BlobResult& done);
  std::string Summary() const;

  Registry& registry_;
  PushMemory& memory_;
  const std::size_t jobs_;
  const UploadOptions upload_;
  Progress& progress_;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::unique_ptr<ProgressTask> task_;
  std::set<specs::Sha256> given_;
  std::vector<PushBlob> waiting_;  // a heap, the largest on top
  std::uint64_t total_ = 0;        // bytes given, but for those that need not be sent
  std::size_t idle_ = 0;           // threads that wait for a blob
  std::size_t active_ = 0;         // threads that have one
  Clock::time_point active_since_;
  Clock::duration active_time_{0};  // how long at least one was active
  bool stopping_ = false;           // threads end when nothing waits
  bool dropped_ = false;            // nobody will ask what became of them
  std::exception_ptr failure_;
  PushResult result_;
  std::vector<std::thread> threads_;
};

}  // namespace imgbuild::builder
