// The one file that knows ISA-L, whose inflate takes two thirds of the time of zlib's.
#include <algorithm>
#include <cstring>
#include <limits>

#include <fmt/format.h>
#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>

#include "layers/io/hashing.h"
#include "layers/unpack/zip_archive.h"
#include "specs/base/error.h"

namespace imgbuild::layers {
namespace {

using specs::Error;

constexpr std::size_t kMaxOutput = std::numeric_limits<std::uint32_t>::max() / 2;
// Of the archive, between two calls of Passed.
constexpr std::size_t kWindow = 4u << 20;

[[noreturn]] void Damaged(const ZipMember& member, std::string_view what) {
  throw Error(fmt::format("{} in the zip archive is damaged: {}", member.name, what));
}

}  // namespace

struct ZipReader::State : public Source {
  explicit State(Passed passed_on) : passed(std::move(passed_on)) {}

  void Start(const ZipMember& opened) {
    member = &opened;
    input = opened.data;
    window = {};
    left = opened.size;
    sum = 0;
    checked = false;
    ::isal_inflate_init(&stream);  // for DEFLATE alone, without a wrapper
  }

  std::size_t Read(std::span<std::byte> buffer) override {
    if (checked || buffer.empty()) return 0;
    std::size_t count = 0;
    if (left > 0) {
      auto room = buffer.first(std::min<std::uint64_t>({buffer.size(), left, kMaxOutput}));
      count = member->deflated ? Inflate(room) : Copy(room);
      sum = ::crc32_gzip_refl(sum, reinterpret_cast<const std::uint8_t*>(buffer.data()), count);
      left -= count;
    }
    if (left == 0) Check();
    return count;
  }

  std::size_t Copy(std::span<std::byte> room) {
    const std::size_t count = std::min(room.size(), kWindow);
    std::memcpy(room.data(), input.data(), count);
    Advance(count);
    return count;
  }

  // Takes bytes off the input. Those before them are done with once they are a window.
  void Advance(std::size_t count) {
    if (window.size() >= kWindow) {
      if (passed) passed(window);
      window = {};
    }
    window = {window.empty() ? input.data() : window.data(), window.size() + count};
    input.remove_prefix(count);
  }

  // Fills the room: less only where the data is damaged, which throws.
  std::size_t Inflate(std::span<std::byte> room) {
    stream.next_out = reinterpret_cast<std::uint8_t*>(room.data());
    stream.avail_out = static_cast<std::uint32_t>(room.size());
    while (stream.avail_out > 0) {
      if (Ended()) Damaged(*member, "it is shorter than declared");
      Step();
    }
    return room.size();
  }

  bool Ended() const { return stream.block_state == ISAL_BLOCK_FINISH; }

  void Step() {
    if (stream.avail_in == 0) {
      std::size_t size = std::min(input.size(), kWindow);
      stream.next_in = reinterpret_cast<std::uint8_t*>(const_cast<char*>(input.data()));
      stream.avail_in = static_cast<std::uint32_t>(size);
      Advance(size);
    }
    const std::uint32_t before_in = stream.avail_in;
    const std::uint32_t before_out = stream.avail_out;
    if (::isal_inflate(&stream) != ISAL_DECOMP_OK) Damaged(*member, "it cannot be decompressed");
    if (!Ended() && before_in == stream.avail_in && before_out == stream.avail_out) {
      Damaged(*member, "it is cut short");
    }
  }

  // All declared bytes came: there must be no more, and they must be the right ones.
  void Check() {
    checked = true;
    if (member->deflated) {
      std::uint8_t more;
      stream.next_out = &more;
      stream.avail_out = 1;
      while (!Ended()) {
        Step();
        if (stream.avail_out == 0) Damaged(*member, "it is longer than declared");
      }
      // It takes up to eight bytes in advance.
      if (stream.read_in_length >= 8 || stream.avail_in != 0 || !input.empty()) {
        Damaged(*member, "bytes follow its end");
      }
    }
    if (sum != member->crc32) Damaged(*member, "its checksum is wrong");
  }

  inflate_state stream{};
  const ZipMember* member = nullptr;
  const Passed passed;
  std::string_view input;
  std::string_view window;  // taken off the input and not passed yet
  std::uint64_t left = 0;
  std::uint32_t sum = 0;
  bool checked = true;
};

ZipReader::ZipReader(Passed passed) : state_(std::make_unique<State>(std::move(passed))) {}
ZipReader::~ZipReader() = default;

Source& ZipReader::Open(const ZipMember& member) {
  state_->Start(member);
  return *state_;
}

std::string ZipReader::ReadText(const ZipMember& member, std::uint64_t limit) {
  if (member.size > limit) {
    throw Error(fmt::format("{} is too large", member.name))
        .Found(fmt::format("{} bytes", member.size))
        .Expected(fmt::format("at most {} bytes", limit));
  }
  return ReadAll(Open(member));
}

void FuzzZip(std::string_view bytes) {
  try {
    ZipArchive zip(bytes);
    ZipReader reader;
    for (const ZipMember& member : zip.members()) {
      BoundedSource bounded(reader.Open(member), 64 << 20, "the data");
      NullSink sink;
      CopyAll(bounded, sink);
    }
  } catch (const Error&) {
  }
}

}  // namespace imgbuild::layers
