// Uploads, cut anywhere.
//
// An upload is a session that the registry names by a URL (Location). Bytes go into it by PATCH, or
// with the PUT that ends it. Whatever fails in between, only the registry knows how many bytes it
// has: so after every failure it is asked (GET on the session: 204 and Range), and the upload goes
// on from there, or anew where the session is unknown, as registries that keep none across a cut
// say. After a failed PUT the blob may be there all the same, since only the answer was lost: a
// HEAD tells.
//
// The invariant: nothing counts as uploaded but what a PUT or a HEAD said is there under its
// digest. A registry that accepts bytes at a wrong place is caught by that digest, and the blob is
// sent anew.
#include "builder/registry/blob_upload.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <random>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "builder/net/retry.h"
#include "specs/base/error.h"
#include "specs/base/text.h"
#include "specs/base/url.h"

namespace imgbuild::builder {
namespace {

using specs::Error;

constexpr std::uint64_t kLarge = 256u << 20;
constexpr std::uint64_t kLargeStallSeconds = 600;  // a registry hashes it before it answers

// 0 is the client's own.
std::uint64_t StallSeconds(std::uint64_t size) { return size < kLarge ? 0 : kLargeStallSeconds; }

std::string WithQuery(const std::string& url, const std::string& query) {
  return url + (url.find('?') == std::string::npos ? '?' : '&') + query;
}

std::uint64_t NumberOf(std::string_view header) {
  return specs::ParseUnsigned(specs::Trim(header)).value_or(0);
}

// How many bytes "0-1023" (or "bytes=0-1023") says that there are. "0-0" is what registries say of
// none as well as of one: none is the safe reading.
std::optional<std::uint64_t> ReceivedOf(std::string_view range) {
  if (range.starts_with("bytes=")) range.remove_prefix(6);
  const std::size_t dash = range.find('-');
  if (dash == std::string_view::npos || range.substr(0, dash) != "0") return std::nullopt;
  const auto last = specs::ParseUnsigned(specs::Trim(range.substr(dash + 1)));
  if (!last) return std::nullopt;
  return *last == 0 ? 0 : *last + 1;
}

double Jitter() {
  thread_local std::mt19937 random{std::random_device{}()};
  return std::uniform_real_distribution<double>(0, 1)(random);
}

class Upload {
 public:
  Upload(Registry& registry, PushMemory& memory, const PushBlob& blob,
         const std::function<void(std::uint64_t)>& progress, const UploadOptions& options)
      : registry_(registry),
        memory_(memory),
        blob_(blob),
        progress_(progress),
        options_(options),
        repository_(registry.Name()) {}

  BlobResult Run() {
    const Endpoint& endpoint = registry_.endpoint();
    if (IsThere()) {
      Told(blob_.size);
      result_.outcome = BlobOutcome::kPresent;
    } else if (Mount()) {
      Told(blob_.size);
      result_.outcome = BlobOutcome::kMounted;
    } else {
      std::error_code ignored;
      if (options_.obtain && !std::filesystem::exists(blob_.file, ignored)) options_.obtain(blob_);
      Send();
      result_.outcome = BlobOutcome::kUploaded;
    }
    memory_.ForgetUpload(repository_, blob_.digest);
    memory_.RememberHome(endpoint.host, endpoint.repository, blob_.digest);
    return result_;
  }

 private:
  enum class Step { kOn, kDone };

  bool IsThere() {
    const HttpResponse response =
        registry_.Send({.method = "HEAD", .path = "/blobs/" + blob_.digest.Oci()});
    // Of another length it is a page of something in between.
    if (response.status == 200) {
      const std::string_view length = response.Header("Content-Length");
      return length.empty() || NumberOf(length) == blob_.size;
    }
    if (response.status == 404) return false;
    throw registry_.Failure("cannot ask for a blob", response);
  }

  // Begins a session too where the registry answers so.
  bool Mount() {
    const Endpoint& endpoint = registry_.endpoint();
    const std::string home = memory_.HomeOf(endpoint.host, endpoint.repository, blob_.digest);
    if (home.empty()) return false;
    registry_.AlsoRead(home);
    const HttpResponse response =
        registry_.Send({.method = "POST",
                        .path = fmt::format("/blobs/uploads/?mount={}&from={}",
                                            specs::PercentEncode(blob_.digest.Oci()),
                                            specs::PercentEncode(home))});
    if (response.status == 201) return true;
    if (response.status == 202) Take(response);
    return false;
  }

  void Send() {
    if (location_.empty()) Continue();
    int failures = 0;
    for (;;) {
      const std::uint64_t before = offset_;
      std::optional<Error> failure;
      std::uint64_t wait = 0;
      try {
        if (location_.empty()) Begin();
        if (Next() == Step::kDone) return;
        if (!refused_) {
          failures = 0;
          continue;
        }
        failure = registry_.Failure("cannot upload a blob", *refused_);
        if (!MayPass(*refused_)) throw std::move(*failure);
        wait = RetryAfterMs(refused_->Header("Retry-After"));
        refused_.reset();
      } catch (const AccessRefused&) {
        throw;
      } catch (const Error& error) {
        if (error.kind() == specs::ErrorKind::kInterrupted || final_) throw;
        failure = error;
      }
      if (offset_ > before) failures = 0;
      if (++failures >= options_.max_failures) {
        throw std::move(failure->In(fmt::format("after {} tries in a row", failures)));
      }
      wait = std::max(wait, BackoffMs(failures + 1, options_.backoff_ms, Jitter()));
      std::this_thread::sleep_for(std::chrono::milliseconds(wait));
      if (Recover()) return;
    }
  }

  // Statuses of a session that went away or out of step, beside those that may pass anyhow.
  bool MayPass(const HttpResponse& response) {
    if (IsTransientStatus(response.status) || response.status == 404 || response.status == 416) {
      return true;
    }
    // Bytes that the registry put elsewhere than we meant: once more, from the beginning.
    if (response.status == 400 && !anew_) {
      anew_ = true;
      location_.clear();
      return true;
    }
    final_ = true;
    return false;
  }

  void Begin() {
    const HttpResponse response = registry_.Send({.method = "POST", .path = "/blobs/uploads/"});
    if (response.status != 202) {
      final_ = !IsTransientStatus(response.status);
      throw registry_.Failure("cannot begin to upload a blob", response);
    }
    offset_ = 0;
    Take(response);
    min_chunk_ = NumberOf(response.Header("OCI-Chunk-Min-Length"));
    max_chunk_ = NumberOf(response.Header("OCI-Chunk-Max-Length"));
    if (blob_.size >= options_.resumable_size) {
      memory_.RememberUpload(repository_, blob_.digest, location_);
    }
  }

  void Take(const HttpResponse& response) {
    final_ = true;  // a Location that leads elsewhere will do so again
    location_ = registry_.Location(response);
    final_ = false;
  }

  // An upload that an earlier run began.
  void Continue() {
    std::optional<std::string> url = memory_.UnfinishedUpload(repository_, blob_.digest);
    if (!url) return;
    location_ = *std::move(url);
    try {
      Ask();
    } catch (const AccessRefused&) {
      throw;
    } catch (const Error& error) {
      if (error.kind() == specs::ErrorKind::kInterrupted) throw;
      location_.clear();
    }
    if (location_.empty()) memory_.ForgetUpload(repository_, blob_.digest);
  }

  // How far the session is; forgets it where the registry knows nothing of it.
  void Ask() {
    const HttpResponse response =
        registry_.Send({.method = "GET", .path = location_, .max_tries = 2});
    const std::optional<std::uint64_t> received = ReceivedOf(response.Header("Range"));
    if (response.status != 204 || (received && *received > blob_.size)) {
      location_.clear();
      offset_ = 0;
      return;
    }
    if (!response.Header("Location").empty()) Take(response);
    offset_ = received.value_or(0);
    Told(offset_);
  }

  // After a failure: whether the blob is there all the same.
  bool Recover() {
    try {
      if (ending_ && IsThere()) return true;
      if (!location_.empty()) Ask();
    } catch (const AccessRefused&) {
      throw;
    } catch (const Error& error) {
      if (error.kind() == specs::ErrorKind::kInterrupted || final_) throw;
      location_.clear();  // it cannot even be asked: begin anew once it can be reached
      offset_ = 0;
    }
    return false;
  }

  // One request. An answer that is not what it should be is left in refused_.
  Step Next() {
    const bool at_once =
        offset_ == 0 && blob_.size < options_.resumable_size && min_chunk_ == 0 && max_chunk_ == 0;
    ending_ = at_once || offset_ == blob_.size;
    return ending_ ? End(at_once ? blob_.size : 0) : SendChunk();
  }

  HttpUpload Stretch(std::uint64_t size) {
    const std::uint64_t from = offset_;
    auto counted = std::make_shared<std::uint64_t>(0);
    return {.bytes = "",
            .file = blob_.file,
            .offset = from,
            .size = size,
            .progress = [this, from, counted](std::uint64_t sent) {
              result_.bytes_sent += sent > *counted ? sent - *counted : sent;
              *counted = sent;
              Told(from + sent);
            }};
  }

  Step End(std::uint64_t size) {
    RegistryRequest request{
        .method = "PUT",
        .path = WithQuery(location_, "digest=" + specs::PercentEncode(blob_.digest.Oci())),
        .headers = {{"Content-Type", "application/octet-stream"}},
        .max_tries = 1,
        .stall_timeout_s = StallSeconds(blob_.size)};
    if (size > 0) request.upload = Stretch(size);
    HttpResponse response = registry_.Send(std::move(request));
    if (response.status == 201) {
      const std::string_view digest = response.Header("Docker-Content-Digest");
      if (digest.empty() || digest == blob_.digest.Oci()) return Step::kDone;
      throw Error(specs::ErrorKind::kVerification,
                  fmt::format("{} took a blob for another", repository_))
          .Found(std::string(digest))
          .Expected(blob_.digest.Oci());
    }
    refused_ = std::move(response);
    return Step::kOn;
  }

  Step SendChunk() {
    std::uint64_t size = blob_.size - offset_;
    if (max_chunk_ > 0) size = std::min(size, std::max(max_chunk_, min_chunk_));
    RegistryRequest request{.method = "PATCH",
                            .path = location_,
                            .headers = {{"Content-Type", "application/octet-stream"}},
                            .upload = Stretch(size),
                            .max_tries = 1,
                            .stall_timeout_s = StallSeconds(blob_.size)};
    if (offset_ > 0 || size < blob_.size) {
      request.headers.push_back(
          {"Content-Range", fmt::format("{}-{}", offset_, offset_ + size - 1)});
    }
    HttpResponse response = registry_.Send(std::move(request));
    if (response.status != 202) {
      refused_ = std::move(response);
      return Step::kOn;
    }
    Take(response);
    const std::optional<std::uint64_t> received = ReceivedOf(response.Header("Range"));
    offset_ = received && *received > 0 ? std::min(*received, blob_.size) : offset_ + size;
    if (blob_.size >= options_.resumable_size) {
      memory_.RememberUpload(repository_, blob_.digest, location_);
    }
    return Step::kOn;
  }

  // Every byte is told once, however often it goes out.
  void Told(std::uint64_t position) {
    if (position <= told_) return;
    progress_(position - told_);
    told_ = position;
  }

  Registry& registry_;
  PushMemory& memory_;
  const PushBlob& blob_;
  const std::function<void(std::uint64_t)>& progress_;
  const UploadOptions& options_;
  const std::string repository_;

  std::string location_;  // of the session; "" where there is none
  std::uint64_t offset_ = 0;
  std::uint64_t min_chunk_ = 0;
  std::uint64_t max_chunk_ = 0;
  std::optional<HttpResponse> refused_;
  bool ending_ = false;  // the last request was a PUT
  bool anew_ = false;    // it was begun again for a wrong digest
  bool final_ = false;   // what failed will fail again
  std::uint64_t told_ = 0;
  BlobResult result_;
};

}  // namespace

BlobResult UploadBlob(Registry& registry, PushMemory& memory, const PushBlob& blob,
                      const std::function<void(std::uint64_t)>& progress,
                      const UploadOptions& options) {
  return Upload(registry, memory, blob, progress, options).Run();
}

}  // namespace imgbuild::builder
