// Zip archives (APPNOTE.TXT 6.3: 4.3, 4.4, 4.5.3) read strictly from untrusted bytes: what the
// central directory says, checked against each local header.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "layers/io/stream.h"

namespace imgbuild::layers {

struct ZipMember {
  std::string name;  // canonical (layers/tree/path.h); of directories without the slash
  bool directory = false;
  bool executable = false;  // by its Unix mode
  std::int64_t mtime = 0;   // DOS time taken as UTC, at least kFixedTime
  std::uint64_t size = 0;   // as declared and, while reading, proved
  std::uint32_t crc32 = 0;  // likewise
  bool deflated = false;    // else stored
  std::string_view data;    // as in the archive
};

class ZipArchive {
 public:
  // Borrows the bytes for its life. Throws Error for what is no zip, is damaged, or is refused:
  // several disks, encrypted members, methods other than stored and deflated, names that climb or
  // are absolute or not canonical, a name twice, links and devices, members that overlap, sizes
  // that no compressed data can have.
  explicit ZipArchive(std::string_view bytes);

  // In the order of the central directory.
  const std::vector<ZipMember>& members() const { return members_; }
  // nullptr where there is none.
  const ZipMember* Find(std::string_view name) const;

 private:
  void CheckNames();
  void CheckOverlap(std::string_view bytes, const std::vector<std::uint64_t>& begins) const;

  std::vector<ZipMember> members_;
  std::vector<std::size_t> by_name_;
};

// The content of members, one after the other; keeps the decompressor's state between them.
class ZipReader {
 public:
  // Called with pieces of a member, of a few megabytes, that were read and will not be looked at
  // again before the next Open. Empty: nobody wants to know.
  using Passed = std::function<void(std::string_view)>;

  explicit ZipReader(Passed passed = {});
  ~ZipReader();
  ZipReader(const ZipReader&) = delete;

  // Valid until the next Open. Reading throws Error where the content is not exactly as long as
  // declared or its checksum is wrong. Borrows the member.
  Source& Open(const ZipMember& member);
  // A member that must be small.
  std::string ReadText(const ZipMember& member, std::uint64_t limit);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Opens a zip and reads its members up to a bound; only Errors are swallowed. The entry point of
// the fuzz target.
void FuzzZip(std::string_view bytes);

}  // namespace imgbuild::layers
