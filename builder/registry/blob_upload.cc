// Uploads, cut anywhere.
//
// An upload is a session that the registry names by a URL (Location). Bytes go into it by PATCH, or
// with the PUT that ends it. Whatever fails in between, only the registry knows how many bytes it
// has: so after every failure it is asked (GET on the session: 204 and Range), and the upload goes
// on from there, or anew where the session is unknown, as registries that keep none across a cut
// say. Where the registry is overloaded or out of reach, which says nothing of the session, it is
// asked again; only the last try begins anew then, since some registries answer 500 for ever to a
// session that is lost. After a failed PUT the blob may be there all the same, since only the
// answer was lost: a HEAD tells.
//
// A 413 says nothing of the session either, but that a request was too large, often for a proxy
// before the registry: the rest goes out in chunks, smaller ones after each 413. What they were cut
// down to is kept in mind for the registry's other blobs.
//
// The invariant: nothing counts as uploaded but what a PUT or a HEAD said is there under its
// digest. A registry that accepts bytes at a wrong place is caught by that digest, and the blob is
// sent anew, unless the file is not the blob: that is looked at then, as every registry checks the
// digest (distribution-spec, "Pushing blobs"), and hashing all that goes out would slow each push.
#include "builder/registry/blob_upload.h"

#include <algorithm>
#include <bit>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "builder/net/retry.h"
#include "builder/registry/retries.h"
#include "layers/io/hashing.h"
#include "specs/base/error.h"
#include "specs/base/text.h"
#include "specs/base/url.h"

namespace imgbuild::builder {
namespace {

using specs::Error;

// Bytes a second that the slowest registry hashes and moves before it answers.
constexpr std::uint64_t kSlowestCommit = 8u << 20;

// Of chunks after a 413: below what proxies are often set to, and what nginx takes unless told
// otherwise.
constexpr std::uint64_t kLargestChunk = 64u << 20;
constexpr std::uint64_t kLeastChunk = 1u << 20;

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

class Upload {
 public:
  Upload(Registry& registry, PushMemory& memory, const PushBlob& blob,
         const std::function<void(std::uint64_t)>& progress, const UploadOptions& options)
      : registry_(registry),
        memory_(memory),
        blob_(blob),
        progress_(progress),
        options_(options),
        repository_(registry.Name()),
        retries_(registry, options.max_failures, options.backoff_ms) {}

  BlobResult Run() {
    const Endpoint& endpoint = registry_.endpoint();
    if (IsThere(/*max_tries=*/0)) {
      result_.outcome = BlobOutcome::kPresent;
    } else if (Mount()) {
      result_.outcome = BlobOutcome::kMounted;
    } else {
      std::error_code ignored;
      if (options_.obtain && !std::filesystem::exists(blob_.file, ignored)) options_.obtain(blob_);
      try {
        Send();
      } catch (...) {
        // What the registry does not take now it will not take in the next run.
        if (final_) memory_.ForgetUpload(repository_, blob_.digest);
        throw;
      }
      result_.outcome = BlobOutcome::kUploaded;
    }
    memory_.ForgetUpload(repository_, blob_.digest);
    memory_.RememberHome(endpoint.host, endpoint.repository, blob_.digest);
    return result_;
  }

 private:
  enum class Step { kOn, kDone };

  bool IsThere(int max_tries) {
    const HttpResponse response = registry_.Send(
        {.method = "HEAD", .path = "/blobs/" + blob_.digest.Oci(), .max_tries = max_tries});
    // Of another length it is a page of something in between.
    if (response.status == 200) {
      const std::string_view length = response.Header("Content-Length");
      return length.empty() || NumberOf(length) == blob_.size;
    }
    if (response.status == 404) return false;
    retries_.Heed(response);
    throw registry_.Failure("cannot ask for a blob", response);
  }

  // Begins a session too where the registry answers so.
  bool Mount() {
    const Endpoint& endpoint = registry_.endpoint();
    const std::string home = memory_.HomeOf(endpoint.host, endpoint.repository, blob_.digest);
    if (home.empty()) return false;
    HttpResponse response;
    try {
      response = registry_.Send({.method = "POST",
                                 .path = fmt::format("/blobs/uploads/?mount={}&from={}",
                                                     specs::PercentEncode(blob_.digest.Oci()),
                                                     specs::PercentEncode(home)),
                                 .mount_from = home});
    } catch (const AccessRefused&) {
      // Who may not read that repository any more gets no token for both, on some servers.
      response.status = 403;
    } catch (const Error& error) {
      if (error.kind() == specs::ErrorKind::kInterrupted) throw;
      retries_.Heed(error);
      retries_.Pause(error);
      return false;  // to begin an upload is tried more often
    }
    if (response.status == 201) return true;
    if (IsTransientStatus(response.status)) {
      retries_.Heed(response);
      retries_.Pause(registry_.Failure("cannot mount a blob", response));
    } else {
      memory_.ForgetHome(endpoint.host, blob_.digest);
    }
    if (response.status == 202) Take(response);
    return false;
  }

  void Send() {
    Resume();
    std::uint64_t furthest = 0;  // what was received, ever
    for (;;) {
      std::optional<Error> failure;
      try {
        if (unsure_ && Recover()) return;
        if (session_.url.empty()) Begin();
        if (offset_ > furthest) retries_.Progressed();
        furthest = std::max(furthest, offset_);
        const std::uint64_t before = offset_;
        if (Next() == Step::kDone) return;
        if (!refused_ && offset_ > before) continue;
        if (refused_ && refused_->status == 413 && GoOnInSmallerChunks()) continue;
        if (refused_ && ending_ && refused_->status == 400) CheckFile();
        failure = refused_ ? Refusal(*refused_)
                           : Error(fmt::format("{} took a part of a blob, and has no more of it "
                                               "than before",
                                               repository_));
        if (refused_ && !MayPass(*refused_)) throw std::move(*failure);
        if (refused_) retries_.Heed(*refused_);
        refused_.reset();
      } catch (const AccessRefused&) {
        throw;
      } catch (const Error& error) {
        if (error.kind() == specs::ErrorKind::kInterrupted || final_) throw;
        retries_.Heed(error);
        failure = error;
      }
      retries_.Fail(*std::move(failure));
      unsure_ = true;
    }
  }

  // Statuses of a session that went away or out of step, beside those that may pass anyhow.
  bool MayPass(const HttpResponse& response) {
    if (IsTransientStatus(response.status) || response.status == 404 || response.status == 416) {
      return true;
    }
    // Bytes that the registry put elsewhere than we meant, or a session of an earlier run whose
    // limits have changed: once more, from the beginning.
    const bool again = response.status == 400 || (response.status == 413 && continued_);
    if (again && !anew_) {
      anew_ = true;
      LeaveSession();
      return true;
    }
    final_ = true;
    return false;
  }

  // After a 413: whether there are smaller ones to try.
  bool GoOnInSmallerChunks() {
    const std::uint64_t least = std::max(kLeastChunk, session_.min_chunk);
    if (body_ <= least) return false;
    const std::uint64_t smaller = std::min(kLargestChunk, std::bit_floor(body_ - 1));
    memory_.RememberLargestBody(registry_.endpoint().host, std::max(smaller, least));
    refused_.reset();
    unsure_ = true;
    return true;
  }

  Error Refusal(const HttpResponse& response) const {
    if (response.status != 413) return registry_.Failure("cannot upload a blob", response);
    std::string what = fmt::format("cannot upload a blob of {}", specs::HumanBytes(blob_.size));
    if (body_ > 0 && body_ < blob_.size) {
      what += fmt::format(" in requests of {}", specs::HumanBytes(body_));
    }
    return registry_.Failure(what, response)
        .Hint(
            "the registry, or a proxy before it, limits what it takes (nginx: "
            "client_max_body_size): raise that, or make smaller layers: image.max-layer-size");
  }

  void Begin() {
    const HttpResponse response =
        registry_.Send({.method = "POST", .path = "/blobs/uploads/", .max_tries = 1});
    if (response.status != 202) {
      retries_.Heed(response);
      final_ = !IsTransientStatus(response.status);
      throw registry_.Failure("cannot begin to upload a blob", response);
    }
    offset_ = 0;
    Take(response);
    Remember();
  }

  // Where the session goes on, and in which chunks if the registry says so.
  void Take(const HttpResponse& response) {
    final_ = true;  // a Location that leads elsewhere will do so again
    session_.url = registry_.Location(response);
    final_ = false;
    const std::uint64_t min_chunk = NumberOf(response.Header("OCI-Chunk-Min-Length"));
    const std::uint64_t max_chunk = NumberOf(response.Header("OCI-Chunk-Max-Length"));
    if (min_chunk > 0) session_.min_chunk = min_chunk;
    if (max_chunk > 0) session_.max_chunk = max_chunk;
  }

  void Remember() {
    if (session_.url.empty() || blob_.size < options_.resumable_size) return;
    memory_.RememberUpload(repository_, blob_.digest, session_);
  }

  void LeaveSession() {
    session_ = {};
    offset_ = 0;
    continued_ = false;
  }

  // The session of an earlier run; else the one that a refused mount began, if any.
  void Resume() {
    const auto left = memory_.UnfinishedUpload(repository_, blob_.digest);
    // Its URL is no better than one that came just now: it may be of a time when the registry was
    // reached without TLS.
    if (left && registry_.MayGoTo(left->url)) {
      Cancel(std::exchange(session_, *left));
      continued_ = true;
      unsure_ = true;
      return;
    }
    if (left) memory_.ForgetUpload(repository_, blob_.digest);
    Remember();
  }

  void Cancel(const UploadSession& session) {
    if (session.url.empty()) return;
    try {
      registry_.Send({.method = "DELETE", .path = session.url, .max_tries = 1});
    } catch (const Error& error) {
      if (error.kind() == specs::ErrorKind::kInterrupted) throw;
    }
  }

  // How far the session is; leaves it where the registry knows nothing of it. Throws where that
  // cannot be told now.
  void Ask() {
    const HttpResponse response =
        registry_.Send({.method = "GET", .path = session_.url, .max_tries = 1});
    if (IsTransientStatus(response.status)) {
      retries_.Heed(response);
      throw registry_.Failure("cannot ask how far an upload is", response);
    }
    const std::optional<std::uint64_t> received = ReceivedOf(response.Header("Range"));
    if (response.status != 204 || (received && *received > blob_.size)) {
      LeaveSession();
      return;
    }
    if (!response.Header("Location").empty()) Take(response);
    offset_ = received.value_or(0);
    Told(offset_);
  }

  // After a failure, or an earlier run: whether the blob is there all the same; else how far the
  // session is. Throws where that cannot be told now: the next try asks again.
  bool Recover() {
    try {
      if (ending_ && IsThere(/*max_tries=*/1)) return true;
      if (!session_.url.empty()) Ask();
    } catch (const AccessRefused&) {
      throw;
    } catch (const Error& error) {
      if (!retries_.IsLast() || final_ || error.kind() == specs::ErrorKind::kInterrupted) throw;
      LeaveSession();
      retries_.Heed(error);
      retries_.Pause(error);
    }
    unsure_ = false;
    return false;
  }

  // One request. An answer that is not what it should be is left in refused_.
  Step Next() {
    const std::uint64_t rest = blob_.size - offset_;
    const std::uint64_t limit = LargestChunk();
    const std::uint64_t most = std::max(limit, session_.min_chunk);
    const bool fits = limit == 0 || rest <= most;
    // The last bytes may be fewer than a chunk must have: those go out with the end, where nobody
    // can take them for a chunk.
    const bool with_end = fits && (rest < session_.min_chunk ||
                                   (offset_ == 0 && blob_.size < options_.resumable_size));
    ending_ = with_end || rest == 0;
    body_ = fits ? rest : most;
    return ending_ ? End(body_) : SendChunk(body_);
  }

  // As the registry says, or as it was found out; 0: of any size.
  std::uint64_t LargestChunk() const {
    const std::uint64_t found = memory_.LargestBody(registry_.endpoint().host);
    if (found == 0 || session_.max_chunk == 0) return std::max(found, session_.max_chunk);
    return std::min(found, session_.max_chunk);
  }

  // Throws Error where the file is not the blob, which no try will change.
  void CheckFile() {
    const specs::Sha256 found = layers::HashFile(blob_.file);
    if (found == blob_.digest) return;
    final_ = true;
    throw Error(specs::ErrorKind::kVerification, fmt::format("{} is damaged", blob_.file.string()))
        .Found(found.Oci())
        .Expected(blob_.digest.Oci())
        .Hint("its disk or another program changed it: make the image again");
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
        .path = WithQuery(session_.url, "digest=" + specs::PercentEncode(blob_.digest.Oci())),
        .headers = {{"Content-Type", "application/octet-stream"}},
        .max_tries = 1,
        .patience_s = blob_.size / kSlowestCommit};
    if (size > 0) request.upload = Stretch(size);
    if (offset_ > 0 && size > 0) request.headers.push_back(ContentRange(size));
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

  HttpHeader ContentRange(std::uint64_t size) const {
    return {"Content-Range", fmt::format("{}-{}", offset_, offset_ + size - 1)};
  }

  Step SendChunk(std::uint64_t size) {
    RegistryRequest request{.method = "PATCH",
                            .path = session_.url,
                            .headers = {{"Content-Type", "application/octet-stream"}},
                            .upload = Stretch(size),
                            .max_tries = 1,
                            .patience_s = blob_.size / kSlowestCommit};
    if (offset_ > 0 || size < blob_.size) request.headers.push_back(ContentRange(size));
    HttpResponse response = registry_.Send(std::move(request));
    if (response.status != 202) {
      refused_ = std::move(response);
      return Step::kOn;
    }
    Take(response);
    const std::optional<std::uint64_t> received = ReceivedOf(response.Header("Range"));
    offset_ = received && *received > 0 ? std::min(*received, blob_.size) : offset_ + size;
    Remember();
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

  Retries retries_;
  UploadSession session_;
  std::uint64_t offset_ = 0;  // what the session has
  std::uint64_t body_ = 0;    // bytes of the last request that sent some, or ended the upload
  std::optional<HttpResponse> refused_;
  bool unsure_ = false;     // the registry is to be asked what it has
  bool continued_ = false;  // an earlier run began the session
  bool ending_ = false;     // the last request was a PUT
  bool anew_ = false;       // it was begun again, which helps once
  bool final_ = false;      // what failed will fail again
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
