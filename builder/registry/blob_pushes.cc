#include "builder/registry/blob_pushes.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "specs/base/error.h"
#include "specs/base/text.h"

namespace imgbuild::builder {
namespace {

bool Smaller(const PushBlob& a, const PushBlob& b) { return a.size < b.size; }

std::string ShortName(const PushBlob& blob) { return "sha256:" + blob.digest.Hex().substr(0, 12); }

std::uint64_t Milliseconds(std::chrono::steady_clock::duration duration) {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(duration).count());
}

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
    dropped_ = true;
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
    task_->Finish(Summary());
  }
  return result_;
}

std::string BlobPushes::Summary() const {
  std::string text =
      fmt::format("{}: {} sent, {} mounted, {} there before", specs::Count(given_.size(), "blob"),
                  result_.uploaded, result_.mounted, result_.present);
  const std::uint64_t took = std::max<std::uint64_t>(Milliseconds(active_time_), 1);
  if (result_.bytes_sent == 0) return text;
  return text + fmt::format("; {} at {}/s", specs::HumanBytes(result_.bytes_sent),
                            specs::HumanBytes(result_.bytes_sent * 1000 / took));
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
    if (active_++ == 0) active_since_ = Clock::now();
    lock.unlock();
    try {
      const BlobResult done = Send(blob);
      lock.lock();
      Count(blob, done);
    } catch (...) {
      lock.lock();
      if (!failure_) failure_ = std::current_exception();
      waiting_.clear();
    }
    if (--active_ == 0) active_time_ += Clock::now() - active_since_;
  }
}

BlobResult BlobPushes::Send(const PushBlob& blob) {
  // Where it goes to another repository of the registry at this moment, it can be mounted then.
  const PushMemory::Turn turn = memory_.TakeTurn(registry_.endpoint().host, blob.digest);
  {
    const std::lock_guard lock(mutex_);
    if (failure_ || dropped_)
      throw specs::Error(specs::ErrorKind::kInterrupted, "not wanted any more");
  }
  const Clock::time_point begin = Clock::now();
  std::unique_ptr<ProgressTask> own;  // from its first byte on
  const BlobResult done = UploadBlob(
      registry_, memory_, blob,
      [&](std::uint64_t bytes) {
        if (!own) {
          own = progress_.Begin("  " + ShortName(blob), ProgressUnit::kBytes);
          own->SetTotal(blob.size);
        }
        own->Advance(bytes);
        task_->Advance(bytes);
      },
      upload_);
  if (done.outcome == BlobOutcome::kUploaded) {
    progress_.Detail(fmt::format("sent {}, {} in {}", ShortName(blob),
                                 specs::HumanBytes(done.bytes_sent),
                                 specs::HumanDuration(Milliseconds(Clock::now() - begin))));
  }
  return done;
}

void BlobPushes::Count(const PushBlob& blob, const BlobResult& done) {
  result_.bytes_sent += done.bytes_sent;
  if (done.outcome != BlobOutcome::kUploaded) {
    total_ -= blob.size;
    task_->SetTotal(total_);
  }
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
