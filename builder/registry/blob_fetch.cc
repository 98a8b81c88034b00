#include "builder/registry/blob_fetch.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "builder/net/retry.h"
#include "builder/registry/retries.h"
#include "specs/base/error.h"
#include "specs/base/text.h"
#include "specs/oci/json_document.h"

namespace imgbuild::builder {
namespace {

using specs::Error;
using specs::ErrorKind;

constexpr int kMostWrongBodies = 2;

std::string PathOf(const specs::Descriptor& blob) { return "/blobs/" + blob.digest.Oci(); }

Error WrongBlob(const specs::Descriptor& blob, std::string found, std::string expected) {
  return Error(ErrorKind::kVerification,
               fmt::format("the registry sends something else than the blob {}", blob.digest.Oci()))
      .Found(std::move(found))
      .Expected(std::move(expected));
}

// Where a 206's bytes begin: RFC 9110, 14.4.
std::optional<std::uint64_t> BeginOf(const HttpResponse& response) {
  std::string_view range = specs::Trim(response.Header("Content-Range"));
  if (!range.starts_with("bytes ")) return std::nullopt;
  range.remove_prefix(6);
  return specs::ParseUnsigned(range.substr(0, range.find('-')));
}

// Of a download: everything that came goes into the store's partial file, and stays there if it is
// cut.
class Fetch : public layers::Sink {
 public:
  Fetch(Registry& registry, layers::Store& store, const specs::Descriptor& blob,
        const std::function<void(std::uint64_t)>& progress, const FetchOptions& options)
      : registry_(registry),
        store_(store),
        blob_(blob),
        progress_(progress),
        options_(options),
        retries_(registry, options.max_failures, options.backoff_ms),
        partial_(store.OpenBlob(blob.digest, blob.size)) {}

  FetchResult Run() {
    if (partial_->AlreadyThere()) {
      progress_(blob_.size);
      return {.present = true, .bytes_received = 0};
    }
    if (partial_->size() > blob_.size) partial_->Restart();
    Told();
    while (!IsWhole()) {
      furthest_ = std::max(furthest_, partial_->size());
      std::optional<Error> failure;
      try {
        Ask();
        continue;
      } catch (const AccessRefused&) {
        throw;
      } catch (const Error& error) {
        if (error.kind() == ErrorKind::kInterrupted || final_) throw;
        retries_.Heed(error);
        failure = error;
      }
      if (partial_->size() >= furthest_ + options_.least_progress) retries_.Progressed();
      retries_.Fail(*std::move(failure));
    }
    store_.PutBlob(blob_.digest, *partial_);
    return result_;
  }

  using Sink::Write;
  void Write(std::span<const std::byte> bytes) override {
    result_.bytes_received += bytes.size();
    if (partial_->size() + bytes.size() > blob_.size) {
      too_long_ = true;
      throw WrongBlob(blob_, "more bytes", fmt::format("{} bytes", blob_.size));
    }
    try {
      partial_->Write(bytes);
    } catch (...) {
      final_ = true;  // a full disk stays full
      throw;
    }
    Told();
  }

 private:
  // All bytes are there and right. Wrong ones are forgotten: what an earlier run left may be, or
  // what a server sent once.
  bool IsWhole() {
    if (partial_->size() < blob_.size) return false;
    const specs::Sha256 found = partial_->Digest();
    if (found == blob_.digest) return true;
    if (ForgetWrongBody() || blob_.size == 0) {
      throw WrongBlob(blob_, found.Oci(), blob_.digest.Oci());
    }
    return false;
  }

  // Whether that makes too many of them.
  bool ForgetWrongBody() {
    partial_->Restart();
    furthest_ = 0;
    return ++wrong_bodies_ >= kMostWrongBodies;
  }

  // One request, from where the partial file ends.
  void Ask() {
    const std::uint64_t offset = partial_->size();
    too_long_ = false;
    RegistryRequest request{.path = PathOf(blob_), .body = this, .max_tries = 1};
    if (offset > 0) request.range = ByteRange{.first = offset, .last = {}, .suffix = false};
    request.head = [this, offset](const HttpResponse& head) { Begin(head, offset); };
    HttpResponse response;
    try {
      response = registry_.Send(std::move(request));
    } catch (const Error&) {
      // A file that is longer than it should be is wrong from the start.
      if (too_long_) final_ = ForgetWrongBody();
      throw;
    }
    if (response.status == 416 && offset > 0) {  // it knows no such stretch
      partial_->Restart();
      throw registry_.Failure("cannot fetch the rest of a blob", response);
    }
    if (response.status != 200 && response.status != 206) {
      retries_.Heed(response);
      final_ = !IsTransientStatus(response.status);
      throw registry_.Failure("cannot fetch a blob", response);
    }
    // A 206 may be a part of what was asked for; a whole answer is too short.
    if (partial_->size() < blob_.size && (response.status == 200 || partial_->size() == offset)) {
      const std::string found = fmt::format("{} bytes", partial_->size());
      final_ = ForgetWrongBody();
      throw WrongBlob(blob_, found, fmt::format("{} bytes", blob_.size));
    }
  }

  // A server without ranges sends everything again; one that sends another stretch is not believed.
  void Begin(const HttpResponse& head, std::uint64_t offset) {
    if (head.status == 206 && BeginOf(head) == offset) return;
    if (head.status == 200) {
      if (offset > 0) partial_->Restart();
      return;
    }
    final_ = true;
    throw Error("the registry answers with another stretch of a blob than was asked for")
        .Found(std::string(head.Header("Content-Range").substr(0, 100)))
        .Expected(fmt::format("bytes {}-", offset));
  }

  void Told() {
    if (partial_->size() <= told_) return;
    progress_(partial_->size() - told_);
    told_ = partial_->size();
  }

  Registry& registry_;
  layers::Store& store_;
  const specs::Descriptor& blob_;
  const std::function<void(std::uint64_t)>& progress_;
  const FetchOptions& options_;
  Retries retries_;
  std::unique_ptr<layers::PartialDownload> partial_;
  std::uint64_t told_ = 0;
  std::uint64_t furthest_ = 0;  // what was there at most, before this try, of the same body
  int wrong_bodies_ = 0;
  bool too_long_ = false;
  bool final_ = false;  // what failed will fail again
  FetchResult result_;
};

}  // namespace

FetchResult FetchBlob(Registry& registry, layers::Store& store, const specs::Descriptor& blob,
                      const std::function<void(std::uint64_t)>& progress,
                      const FetchOptions& options) {
  if (store.FindBlob(blob.digest, blob.size)) {
    progress(blob.size);
    return {.present = true, .bytes_received = 0};
  }
  return specs::WithContext(fmt::format("from {}", registry.Name()),
                            [&] { return Fetch(registry, store, blob, progress, options).Run(); });
}

std::string FetchSmallBlob(Registry& registry, const specs::Descriptor& blob, int max_tries) {
  return specs::WithContext(fmt::format("from {}", registry.Name()), [&] {
    if (blob.size > specs::kMaxDocument) {
      throw Error(fmt::format("the blob {} is too large to be read at once", blob.digest.Oci()))
          .Found(specs::HumanBytes(blob.size))
          .Expected("at most " + specs::HumanBytes(specs::kMaxDocument));
    }
    HttpResponse response = registry.Send({.path = PathOf(blob),
                                           .max_body = std::max<std::uint64_t>(blob.size, 1),
                                           .max_tries = max_tries});
    if (response.status != 200) throw registry.Failure("cannot fetch a blob", response);
    const specs::Sha256 found = specs::HashOf(response.body);
    if (found != blob.digest || response.body.size() != blob.size) {
      throw WrongBlob(blob, fmt::format("{}, {} bytes", found.Oci(), response.body.size()),
                      fmt::format("{}, {} bytes", blob.digest.Oci(), blob.size));
    }
    return std::move(response.body);
  });
}

bool HasBlob(Registry& registry, const specs::Descriptor& blob) {
  const HttpResponse response = registry.Send({.method = "HEAD", .path = PathOf(blob)});
  if (response.status == 404) return false;
  if (response.status != 200) throw registry.Failure("cannot ask for a blob", response);
  const std::string_view length = specs::Trim(response.Header("Content-Length"));
  return length.empty() || specs::ParseUnsigned(length) == blob.size;
}

}  // namespace imgbuild::builder
