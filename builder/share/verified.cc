#include "builder/share/verified.h"

#include <fmt/core.h>

#include "specs/base/error.h"
#include "specs/base/text.h"

namespace imgbuild::builder {
namespace {

specs::Error WrongBytes(const CachePlace& place, const EntryBlob& blob, std::string found) {
  return specs::Error(specs::ErrorKind::kVerification,
                      fmt::format("{} gives wrong bytes", place.name()))
      .Found(std::move(found))
      .Expected(fmt::format("{}, {} bytes", blob.digest.Oci(), blob.size));
}

// Ends a transfer as soon as more comes than was promised.
class CountedSink : public layers::Sink {
 public:
  CountedSink(CachePlace& place, const EntryBlob& blob, layers::Sink& sink)
      : place_(place), blob_(blob), sink_(sink) {}

  using Sink::Write;
  void Write(std::span<const std::byte> bytes) override {
    if (bytes.size() > blob_.size - count_) throw WrongBytes(place_, blob_, "more bytes");
    sink_.Write(bytes);
    hasher_->Update(bytes);
    count_ += bytes.size();
  }

  void Restart() {
    hasher_.emplace();
    count_ = 0;
  }

  // All bytes came.
  void Verify() {
    const specs::Sha256 found = hasher_->Finish();
    if (count_ == blob_.size && found == blob_.digest) return;
    throw WrongBytes(place_, blob_, fmt::format("{}, {} bytes", found.Oci(), count_));
  }

 private:
  CachePlace& place_;
  const EntryBlob& blob_;
  layers::Sink& sink_;
  std::optional<specs::Sha256Hasher> hasher_{std::in_place};
  std::uint64_t count_ = 0;
};

}  // namespace

std::optional<std::string> ReadVerified(CachePlace& place, const EntryBlob& blob,
                                        std::uint64_t limit) {
  if (blob.size > limit) {
    throw specs::Error(fmt::format("{} promises too large a document", place.name()))
        .Found(specs::HumanBytes(blob.size))
        .Expected("at most " + specs::HumanBytes(limit));
  }
  layers::StringSink text;
  CountedSink sink(place, blob, text);
  const auto restart = [&] {
    text.Take();
    text = {};
    sink.Restart();
  };
  if (!place.Read(blob, sink, restart)) return std::nullopt;
  sink.Verify();
  return text.Take();
}

bool FetchVerified(CachePlace& place, const EntryBlob& blob, layers::Sink& sink,
                   const std::function<void()>& restart) {
  CountedSink counted(place, blob, sink);
  const auto both = [&] {
    restart();
    counted.Restart();
  };
  if (!place.Read(blob, counted, both)) return false;
  counted.Verify();
  return true;
}

}  // namespace imgbuild::builder
