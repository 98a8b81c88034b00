#include "builder/assemble/pyc_memo.h"

#include <utility>

#include "layers/io/file.h"
#include "specs/base/key.h"

namespace imgbuild::builder {
namespace {

// Everything that decides a .pyc of one compiler.
specs::Sha256 KeyOf(const layers::PycSource& source) {
  specs::KeyBuilder key("pyc-memo/1");
  key.Add("path", source.co_filename).Add("mtime", std::uint64_t{source.mtime});
  return key.Add("source", source.bytes).Finish();
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
  return Result{layers::ReadAll(file)};
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
