#include "builder/registry/blob_stream.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "specs/base/text.h"

namespace imgbuild::builder {
namespace {

using specs::Error;

// Takes no more than was asked for.
class StretchSink : public layers::Sink {
 public:
  explicit StretchSink(std::uint64_t limit) : limit_(limit) {}

  using Sink::Write;
  void Write(std::span<const std::byte> bytes) override {
    if (bytes.size() > limit_ - bytes_.size()) {
      throw Error(specs::ErrorKind::kVerification, "the registry sends more than was asked for");
    }
    bytes_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  void Restart() { bytes_.clear(); }
  std::string Take() { return std::move(bytes_); }

 private:
  const std::uint64_t limit_;
  std::string bytes_;
};

void RequireStretch(const HttpResponse& head, std::uint64_t offset) {
  if (head.status != 206) throw Error("the registry gives no parts of blobs");
  std::string_view range = specs::Trim(head.Header("Content-Range"));
  if (range.starts_with("bytes ")) {
    range.remove_prefix(6);
    if (specs::ParseUnsigned(range.substr(0, range.find('-'))) == offset) return;
  }
  throw Error("the registry answers with another stretch of a blob than was asked for")
      .Found(std::string(head.Header("Content-Range").substr(0, 100)))
      .Expected(fmt::format("bytes {}-", offset));
}

}  // namespace

std::string FetchStretch(Registry& registry, const specs::Descriptor& blob, std::uint64_t offset,
                         std::uint64_t size, int max_tries) {
  return specs::WithContext(fmt::format("from {}", registry.Name()), [&] {
    StretchSink sink(size);
    bool whole = false;
    RegistryRequest request{
        .path = "/blobs/" + blob.digest.Oci(), .body = &sink, .max_tries = max_tries};
    request.restart = [&] { sink.Restart(); };
    if (size < blob.size) {
      request.range = ByteRange{.first = offset, .last = offset + size - 1, .suffix = false};
      request.head = [&](const HttpResponse& head) {
        whole = head.status != 206;
        RequireStretch(head, offset);
      };
    }
    HttpResponse response;
    try {
      response = registry.Send(std::move(request));
    } catch (const Error& error) {  // of that type alone, whatever was thrown on the way
      if (whole) throw RangesRefused(error.message());
      throw;
    }
    if (response.status != 200 && response.status != 206) {
      throw registry.Failure("cannot fetch a blob", response);
    }
    std::string bytes = sink.Take();
    if (bytes.empty()) throw Error("the registry sends nothing of a blob").Found(blob.digest.Oci());
    return bytes;
  });
}

BlobStream::BlobStream(std::uint64_t size, Fetch fetch, std::uint64_t stretch)
    : size_(size), fetch_(std::move(fetch)), stretch_(stretch) {}

void BlobStream::Start() {
  if (size_ == 0) return;
  bytes_ = fetch_(0, std::min(stretch_, size_));
  FetchAhead(bytes_.size());
}

void BlobStream::FetchAhead(std::uint64_t offset) {
  if (offset >= size_) {
    ahead_ = {};
    return;
  }
  ahead_ = std::async(std::launch::async, [this, offset] {
    return fetch_(offset, std::min(stretch_, size_ - offset));
  });
}

std::size_t BlobStream::Read(std::span<std::byte> buffer) {
  if (read_ == bytes_.size() && ahead_.valid()) {
    const std::string& next = ahead_.get();
    begin_ += bytes_.size();
    bytes_ = next;
    read_ = 0;
    FetchAhead(begin_ + bytes_.size());
  }
  const std::size_t n = std::min(buffer.size(), bytes_.size() - read_);
  std::copy_n(std::as_bytes(std::span(bytes_)).begin() + static_cast<std::ptrdiff_t>(read_), n,
              buffer.begin());
  read_ += n;
  return n;
}

}  // namespace imgbuild::builder
