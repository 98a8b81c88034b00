#include "builder/assemble/pyc_memo.h"

#include <utility>

#include "layers/io/file.h"
#include "specs/base/key.h"

namespace imgbuild::builder {
namespace {

// Everything that decides the code in a .pyc of one compiler. The source's time does not: the same
// module often has another one in the wheel for another platform.
specs::Sha256 KeyOf(const layers::PycSource& source) {
  specs::KeyBuilder key("pyc-memo/2");
  return key.Add("path", source.co_filename).Add("source", source.bytes).Finish();
}

// PEP 552: magic number, flags, time and size, 32 bits each, little-endian.
constexpr std::size_t kTimeOffset = 8;
constexpr std::size_t kHeaderSize = 16;

std::string WithTime(std::string pyc, std::uint32_t mtime) {
  if (pyc.size() < kHeaderSize) return pyc;
  for (std::size_t i = 0; i < 4; ++i) {
    pyc[kTimeOffset + i] = static_cast<char>((mtime >> (8 * i)) & 0xff);
  }
  return pyc;
}

}  // namespace

std::optional<PycMemo::Result> PycMemo::Find(const layers::PycSource& source) {
  const specs::Sha256 key = KeyOf(source);
  const std::lock_guard lock(mutex_);
  const auto found = places_.find(key);
  if (found == places_.end()) return std::nullopt;
  const Place place = found->second;
  if (place.size == 0) return Result{std::nullopt};
  if (place.offset + place.size > flushed_) {
    file_->Flush();
    flushed_ = size_;
  }
  layers::FileSource file(file_->temporary(), place.offset, place.size);
  return Result{WithTime(layers::ReadAll(file), source.mtime)};
}

void PycMemo::Keep(const layers::PycSource& source, const std::optional<std::string>& bytes) {
  const specs::Sha256 key = KeyOf(source);
  const std::lock_guard lock(mutex_);
  const std::uint64_t size = bytes ? bytes->size() : 0;
  if (!places_.emplace(key, Place{size_, size}).second || size == 0) return;
  file_->Write(*bytes);
  size_ += size;
}

std::vector<std::optional<std::string>> MemoCompiler::Compile(
    std::span<const layers::PycSource> sources) {
  std::vector<std::optional<std::string>> results(sources.size());
  std::vector<layers::PycSource> unknown;
  std::vector<std::size_t> positions;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    if (auto found = memo_.Find(sources[i])) {
      results[i] = std::move(found->bytes);
    } else {
      unknown.push_back(sources[i]);
      positions.push_back(i);
    }
  }
  if (unknown.empty()) return results;
  std::vector<std::optional<std::string>> made = compiler_.Compile(unknown);
  for (std::size_t i = 0; i < made.size(); ++i) {
    memo_.Keep(unknown[i], made[i]);
    results[positions[i]] = std::move(made[i]);
  }
  return results;
}

}  // namespace imgbuild::builder
