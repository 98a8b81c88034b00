#include "layers/unpack/library_watcher.h"

#include <algorithm>

#include <elf.h>

namespace imgbuild::layers {
namespace {

constexpr std::uint64_t kFront = 4u << 20;  // headers, symbols and their names
constexpr std::uint64_t kBack = 2u << 20;   // section headers and their names

}  // namespace

LibraryFacts ReadLibrary(std::string_view bytes) {
  if (!LooksLikeElf(bytes)) return {};
  return {ReadElf(bytes), ReadGpuCode(bytes)};
}

LibraryWatcher::LibraryWatcher(std::uint64_t size) : size_(size) {
  Keep({0, std::min(size, kFront)});
  if (size > kFront) {
    const std::uint64_t back = std::max(kFront, size - std::min(size, kBack));
    Keep({back, size - back});
  }
}

void LibraryWatcher::Keep(ByteRange range) {
  if (range.offset < position_ || range.offset > size_) return;
  range.size = std::min(range.size, size_ - range.offset);
  kept_.push_back({range, {}});
}

void LibraryWatcher::Watch(std::string_view bytes) {
  if (position_ < kFront && bytes.size() > kFront - position_) {
    const std::string_view front = bytes.substr(0, kFront - position_);
    Watch(front);  // tells what to keep of the rest
    bytes.remove_prefix(front.size());
  }
  const std::uint64_t end = position_ + bytes.size();
  for (Kept& kept : kept_) {
    const std::uint64_t from = kept.range.offset + kept.bytes.size();
    const std::uint64_t to = std::min(end, kept.range.offset + kept.range.size);
    if (from >= position_ && from < to) kept.bytes += bytes.substr(from - position_, to - from);
  }
  const std::string_view magic(ELFMAG);
  if (magic.starts_with(std::string_view(kept_.front().bytes).substr(0, magic.size()))) {
    scanner_.Scan(bytes);
  }
  position_ = end;
  if (!front_read_ && position_ >= std::min(kFront, size_)) {
    front_read_ = true;
    FileParts parts = Parts();
    if (auto dynamic = FindDynamicSegment(parts)) Keep(*dynamic);
  }
}

FileParts LibraryWatcher::Parts() const {
  FileParts parts(size_);
  for (const Kept& kept : kept_) parts.Add(kept.range.offset, kept.bytes);
  return parts;
}

std::optional<LibraryFacts> LibraryWatcher::Finish() {
  FileParts parts = Parts();
  if (!LooksLikeElf(parts.Get(0, 4))) return LibraryFacts{};
  LibraryFacts facts{ReadElf(parts), scanner_.Find(parts)};
  if (parts.missed()) return std::nullopt;
  return facts;
}

}  // namespace imgbuild::layers
