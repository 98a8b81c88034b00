#include "layers/unpack/spool.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include "layers/io/atomic_file.h"
#include "specs/base/error.h"

namespace imgbuild::layers {
namespace {

constexpr std::size_t kChunk = 1 << 20;
constexpr std::size_t kTransfer = 256 << 10;

[[noreturn]] void WrongSize(std::uint64_t expected) {
  throw specs::Error("an entry's content is not as long as it claims")
      .Expected(fmt::format("{} bytes", expected));
}

void WriteAll(int fd, std::span<const std::byte> bytes, std::uint64_t offset,
              const std::filesystem::path& scratch) {
  while (!bytes.empty()) {
    ssize_t count = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw FileError("write a temporary file in", scratch, errno);
    offset += static_cast<std::uint64_t>(count);
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
}

class PieceSource : public Source {
 public:
  PieceSource(int fd, std::uint64_t offset, std::uint64_t size, std::filesystem::path scratch)
      : fd_(fd), offset_(offset), rest_(size), scratch_(std::move(scratch)) {}

  std::size_t Read(std::span<std::byte> buffer) override {
    std::size_t want = std::min<std::uint64_t>(buffer.size(), rest_);
    if (want == 0) return 0;
    ssize_t count = -1;
    do {
      count = ::pread(fd_, buffer.data(), want, static_cast<off_t>(offset_));
    } while (count < 0 && errno == EINTR);
    if (count <= 0) throw FileError("read a temporary file in", scratch_, count < 0 ? errno : EIO);
    offset_ += static_cast<std::uint64_t>(count);
    rest_ -= static_cast<std::uint64_t>(count);
    return static_cast<std::size_t>(count);
  }

 private:
  int fd_;
  std::uint64_t offset_;
  std::uint64_t rest_;
  std::filesystem::path scratch_;
};

}  // namespace

Spool::Spool(std::filesystem::path scratch, std::uint64_t memory)
    : scratch_(std::move(scratch)), memory_(memory) {}

SpoolPiece Spool::Add(Source& content, std::uint64_t size,
                      const std::optional<specs::Sha256>& known) {
  SpoolPiece piece;
  piece.size = size;
  specs::Sha256Hasher hasher;
  specs::Sha256Hasher* const hashed = known ? nullptr : &hasher;
  if (size <= memory_ - kept_) {
    piece.memory = Keep(content, size, hashed);
  } else {
    piece.offset = written_;
    Spill(content, size, hashed);
  }
  std::byte more;
  if (content.Read({&more, 1}) != 0) WrongSize(size);
  piece.digest = known ? *known : hasher.Finish();
  return piece;
}

const std::byte* Spool::Keep(Source& content, std::uint64_t size, specs::Sha256Hasher* hasher) {
  // Never null, so that an empty piece counts as kept.
  if (chunks_.empty() || chunks_.back().room() < size) {
    chunks_.emplace_back(std::max<std::size_t>(kChunk, size));
  }
  Buffer& chunk = chunks_.back();
  std::byte* begin = chunk.Free().data();
  for (std::uint64_t filled = 0; filled < size;) {
    std::size_t count = content.Read(chunk.Free().first(size - filled));
    if (count == 0) WrongSize(size);
    chunk.Fill(count);
    filled += count;
  }
  if (hasher != nullptr) hasher->Update(std::span<const std::byte>(begin, size));
  kept_ += size;
  return begin;
}

void Spool::Spill(Source& content, std::uint64_t size, specs::Sha256Hasher* hasher) {
  if (!file_.valid()) OpenFile();
  if (transfer_.room() == 0) transfer_ = Buffer(kTransfer);
  for (std::uint64_t filled = 0; filled < size;) {
    std::size_t want = std::min<std::uint64_t>(kTransfer, size - filled);
    std::size_t count = content.Read(transfer_.Free().first(want));
    if (count == 0) WrongSize(size);
    std::span<const std::byte> bytes = transfer_.Free().first(count);
    if (hasher != nullptr) hasher->Update(bytes);
    WriteAll(file_.get(), bytes, written_, scratch_);
    written_ += count;
    filled += count;
  }
}

void Spool::OpenFile() {
  int fd = ::open(scratch_.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (fd < 0) {  // not every file system has files without a name
    std::string name = (scratch_ / (std::string(kTemporaryPrefix) + "XXXXXX")).string();
    fd = ::mkostemp(name.data(), O_CLOEXEC);
    if (fd < 0) throw FileError("create a temporary file in", scratch_, errno);
    ::unlink(name.c_str());
  }
  file_ = FileDescriptor(fd);
}

std::unique_ptr<Source> Spool::Open(const SpoolPiece& piece) const {
  if (piece.memory != nullptr) {
    return std::make_unique<MemorySource>(
        std::string_view(reinterpret_cast<const char*>(piece.memory), piece.size));
  }
  return std::make_unique<PieceSource>(file_.get(), piece.offset, piece.size, scratch_);
}

void Spool::Clear() {
  // One chunk is kept, so that a file at a time costs no allocation.
  if (!chunks_.empty()) chunks_.erase(chunks_.begin() + 1, chunks_.end());
  if (!chunks_.empty()) chunks_.front().Truncate(0);
  if (!chunks_.empty() && chunks_.front().room() > kChunk) chunks_.clear();
  kept_ = 0;
  written_ = 0;
}

Spool::View::View(const Spool& spool, const SpoolPiece& piece) {
  if (piece.size == 0) return;
  if (piece.memory != nullptr) {
    bytes_ = {reinterpret_cast<const char*>(piece.memory), piece.size};
    return;
  }
  auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  std::uint64_t begin = piece.offset / page * page;
  mapped_ = piece.offset - begin + piece.size;
  mapping_ =
      ::mmap(nullptr, mapped_, PROT_READ, MAP_SHARED, spool.file_.get(), static_cast<off_t>(begin));
  if (mapping_ == MAP_FAILED) throw FileError("map a temporary file in", spool.scratch_, errno);
  bytes_ = {static_cast<const char*>(mapping_) + (piece.offset - begin), piece.size};
}

Spool::View::~View() {
  if (mapping_ != nullptr) ::munmap(mapping_, mapped_);
}

Spool::View::View(View&& other) noexcept
    : bytes_(other.bytes_),
      mapping_(std::exchange(other.mapping_, nullptr)),
      mapped_(std::exchange(other.mapped_, 0)) {}

}  // namespace imgbuild::layers
