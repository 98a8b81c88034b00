// Where an archive's files wait until it is their turn in the frame: in memory while that is
// small, then in an unnamed file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "layers/io/buffer.h"
#include "layers/io/file.h"
#include "layers/io/stream.h"
#include "specs/base/digest.h"

namespace imgbuild::layers {

// What a spool of one archive holds in memory, in bytes.
inline constexpr std::uint64_t kSpoolMemory = 32u << 20;

// One content in a spool; only that spool can read it.
struct SpoolPiece {
  std::uint64_t size = 0;
  specs::Sha256 digest;
  const std::byte* memory = nullptr;  // null: at `offset` of the file
  std::uint64_t offset = 0;
};

class Spool {
 public:
  // At most `memory` bytes are held; the rest goes to a file in `scratch` that has no name there,
  // so that nothing stays behind.
  Spool(std::filesystem::path scratch, std::uint64_t memory);

  // Reads `content` to its end. `size` is how long it claims to be; an Error where it is not. Where
  // the digest is `known` nothing is hashed.
  SpoolPiece Add(Source& content, std::uint64_t size,
                 const std::optional<specs::Sha256>& known = {});

  // A piece's bytes, mapped where they are in the file. Valid for the View's life and the spool's.
  class View {
   public:
    View(const Spool& spool, const SpoolPiece& piece);
    ~View();
    View(View&& other) noexcept;
    std::string_view bytes() const { return bytes_; }

   private:
    std::string_view bytes_;
    void* mapping_ = nullptr;
    std::size_t mapped_ = 0;
  };
  View Read(const SpoolPiece& piece) const { return View(*this, piece); }

  // The same as a stream, which keeps no page of the file mapped. Borrows the spool.
  std::unique_ptr<Source> Open(const SpoolPiece& piece) const;

  // Forgets every piece; the room is used again.
  void Clear();

 private:
  // `hasher` may be null.
  const std::byte* Keep(Source& content, std::uint64_t size, specs::Sha256Hasher* hasher);
  void Spill(Source& content, std::uint64_t size, specs::Sha256Hasher* hasher);
  void OpenFile();

  std::filesystem::path scratch_;
  std::uint64_t memory_;
  std::uint64_t kept_ = 0;
  std::vector<Buffer> chunks_;
  FileDescriptor file_;
  std::uint64_t written_ = 0;
  Buffer transfer_;
};

}  // namespace imgbuild::layers
