#include "builder/registry/blob_pushes.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "specs/base/text.h"

namespace imgbuild::builder {
namespace {

bool Smaller(const PushBlob& a, const PushBlob& b) { return a.size < b.size; }

}  // namespace

BlobPushes::BlobPushes(Registry& registry, PushMemory& memory, int jobs, UploadOptions upload,
                       Progress& progress)
    : registry_(registry),
      memory_(memory),
      jobs_(static_cast<std::size_t>(std::max(jobs, 1))),
      upload_(upload),
      progress_(progress) {}

BlobPushes::~BlobPushes() {
  {
    std::lock_guard lock(mutex_);
    waiting_.clear();
  }
  Stop();
}

void BlobPushes::Add(PushBlob blob) {
  std::lock_guard lock(mutex_);
  if (failure_ || !given_.insert(blob.digest).second) return;
  if (!task_) task_ = progress_.Begin("Pushing blobs", ProgressUnit::kBytes);
  total_ += blob.size;
  task_->SetTotal(total_);
  waiting_.push_back(std::move(blob));
  std::ranges::push_heap(waiting_, Smaller);
  if (idle_ < waiting_.size() && threads_.size() < jobs_) threads_.emplace_back([this] { Work(); });
  wake_.notify_one();
}

PushResult BlobPushes::Finish() {
  Stop();
  if (failure_) std::rethrow_exception(failure_);
  if (task_) {
    task_->Finish(fmt::format("{}: {} sent, {} mounted, {} there before",
                              specs::Count(given_.size(), "blob"), result_.uploaded,
                              result_.mounted, result_.present));
  }
  return result_;
}

void BlobPushes::Stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void BlobPushes::Work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    ++idle_;
    wake_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    --idle_;
    if (waiting_.empty()) return;
    std::ranges::pop_heap(waiting_, Smaller);
    const PushBlob blob = std::move(waiting_.back());
    waiting_.pop_back();
    lock.unlock();
    try {
      const BlobResult done = UploadBlob(
          registry_, memory_, blob, [this](std::uint64_t bytes) { task_->Advance(bytes); },
          upload_);
      lock.lock();
      Count(done);
    } catch (...) {
      lock.lock();
      if (!failure_) failure_ = std::current_exception();
      waiting_.clear();
    }
  }
}

void BlobPushes::Count(const BlobResult& done) {
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

}  // namespace imgbuild::builder
