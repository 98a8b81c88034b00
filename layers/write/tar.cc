// One tree, one sequence of bytes.
//
// The problem: a layer's diff id is a hash over a tar, and tar leaves much open: the same file can
// be said in v7, ustar, GNU and pax forms, with or without user names, with padding, device numbers
// and times that come from wherever the tar was made. Two builds of the same tree must agree in
// every byte, on any machine, and keep agreeing when a library is upgraded. libarchive and GNU tar
// were left out for the last reason: their choice of form is theirs to change.
//
// The choice: the ustar form where it can say everything, since every reader knows it and it costs
// 512 bytes; one pax header before it where it cannot, with exactly the records that are needed, in
// order of their keys. Never GNU's extensions. In detail:
//
//   - path: as the tree has it, directories with a slash at the end. Up to 100 bytes in `name`;
//   longer
//     ones are split at the first slash that leaves at most 100 bytes behind it and at most 155
//     before it; else a pax `path`.
//   - anything that is not ASCII goes into pax as well, where the encoding is defined (UTF-8).
//   Names
//     that are not UTF-8 are kept byte for byte and marked with hdrcharset=BINARY.
//   - a field that pax replaces holds a fixed value (0, or the first 100 bytes with '_' for what is
//     not ASCII), never what a reader without pax might take for true by accident.
//   - user and group names are empty: the image's own passwd decides what a number is called.
//   - devmajor and devminor are zero as numbers, since some readers parse them whatever the type.
//   - times are whole seconds; the pax header's own entry has mode 0644 and no owner and time.
//
// The invariant: the bytes depend on path and node alone. Order, and what may follow what, is
// FrameWriter's part (frame.cc); skeletons and unions are layers/tree's (tree_union.cc). A change
// of any of this is a new kTarVersion.
#include "layers/write/tar.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <map>

#include <fmt/format.h>

namespace imgbuild::layers {
namespace {

// POSIX.1-2017, pax, table 4-14: offset and length of each field.
struct Field {
  std::size_t offset;
  std::size_t size;
};
constexpr Field kName{0, 100};
constexpr Field kMode{100, 8};
constexpr Field kUid{108, 8};
constexpr Field kGid{116, 8};
constexpr Field kSize{124, 12};
constexpr Field kMtime{136, 12};
constexpr Field kChecksum{148, 8};
constexpr Field kTypeflag{156, 1};
constexpr Field kLinkname{157, 100};
constexpr Field kMagic{257, 8};
constexpr Field kDevmajor{329, 8};
constexpr Field kDevminor{337, 8};
constexpr Field kPrefix{345, 155};

using PaxRecords = std::map<std::string, std::string>;

class Header {
 public:
  void Text(Field field, std::string_view text) {
    assert(text.size() <= field.size);
    std::ranges::copy(text, block_.begin() + static_cast<std::ptrdiff_t>(field.offset));
  }
  // Octal digits that fill the field, then NUL.
  void Number(Field field, std::uint64_t value) {
    Text(field, fmt::format("{:0{}o}", value, field.size - 1));
  }
  std::string_view Finish() {
    Text(kMagic, std::string_view("ustar\0"
                                  "00",
                                  8));
    Number(kDevmajor, 0);
    Number(kDevminor, 0);
    Text(kChecksum, "        ");
    unsigned sum = 0;
    for (char byte : block_) sum += static_cast<unsigned char>(byte);
    Text(kChecksum, fmt::format("{:06o}", sum));
    block_[kChecksum.offset + 6] = '\0';
    return {block_.data(), block_.size()};
  }

 private:
  std::array<char, kTarBlock> block_{};
};

bool Fits(Field field, std::uint64_t value) { return value < 1ull << (3 * (field.size - 1)); }

bool IsAscii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

// RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF.
bool IsUtf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    auto lead = static_cast<unsigned char>(text[i]);
    std::size_t length = lead < 0x80   ? 1
                         : lead < 0xc2 ? 0
                         : lead < 0xe0 ? 2
                         : lead < 0xf0 ? 3
                         : lead < 0xf5 ? 4
                                       : 0;
    if (length == 0 || i + length > text.size()) return false;
    std::uint32_t code = length == 1 ? lead : lead & (0x7fu >> length);
    for (std::size_t k = 1; k < length; ++k) {
      auto next = static_cast<unsigned char>(text[i + k]);
      if ((next & 0xc0) != 0x80) return false;
      code = code << 6 | (next & 0x3f);
    }
    if ((length == 3 && code < 0x800) || (length == 4 && code < 0x10000) || code > 0x10ffff ||
        (code >= 0xd800 && code < 0xe000)) {
      return false;
    }
    i += length;
  }
  return true;
}

// What stands in a field whose truth is in pax.
std::string Placeholder(std::string_view text) {
  std::string result(text.substr(0, kName.size));
  for (char& c : result) {
    if (static_cast<unsigned char>(c) >= 0x80) c = '_';
  }
  return result;
}

// "LENGTH key=value\n", where LENGTH counts itself.
std::string PaxRecord(std::string_view key, std::string_view value) {
  std::size_t rest = key.size() + value.size() + 3;
  std::size_t length = rest + fmt::formatted_size("{}", rest);
  length = rest + fmt::formatted_size("{}", length);
  return fmt::format("{} {}={}\n", length, key, value);
}

void SetPath(Header& header, PaxRecords& pax, std::string_view path) {
  if (!IsAscii(path)) {
    pax["path"] = path;
    header.Text(kName, Placeholder(path));
    return;
  }
  if (path.size() <= kName.size) {
    header.Text(kName, path);
    return;
  }
  std::size_t slash = path.find('/', path.size() - kName.size - 1);
  // A directory's own slash at the end leaves no name behind it.
  if (slash == std::string_view::npos || slash + 1 == path.size() || slash > kPrefix.size) {
    pax["path"] = path;
    header.Text(kName, Placeholder(path));
    return;
  }
  header.Text(kPrefix, path.substr(0, slash));
  header.Text(kName, path.substr(slash + 1));
}

void SetLink(Header& header, PaxRecords& pax, std::string_view target) {
  if (target.size() <= kLinkname.size && IsAscii(target)) {
    header.Text(kLinkname, target);
  } else {
    pax["linkpath"] = target;
    header.Text(kLinkname, Placeholder(target));
  }
}

void SetNumber(Header& header, PaxRecords& pax, Field field, std::string_view key,
               std::int64_t value) {
  bool fits = value >= 0 && Fits(field, static_cast<std::uint64_t>(value));
  header.Number(field, fits ? static_cast<std::uint64_t>(value) : 0);
  if (!fits) pax[std::string(key)] = std::to_string(value);
}

char TypeFlag(NodeType type) {
  switch (type) {
    case NodeType::kFile:
      return '0';
    case NodeType::kHardlink:
      return '1';
    case NodeType::kSymlink:
      return '2';
    case NodeType::kDirectory:
      return '5';
  }
  return '0';
}

void AppendPax(std::string& out, PaxRecords pax) {
  bool utf8 = std::ranges::all_of(pax, [](const auto& record) { return IsUtf8(record.second); });
  if (!utf8) pax["hdrcharset"] = "BINARY";
  std::string records;
  for (const auto& [key, value] : pax) records += PaxRecord(key, value);
  Header header;
  header.Text(kName, "././@PaxHeader");
  header.Number(kMode, 0644);
  header.Number(kUid, 0);
  header.Number(kGid, 0);
  header.Number(kSize, records.size());
  header.Number(kMtime, 0);
  header.Text(kTypeflag, "x");
  out += header.Finish();
  out += records;
  out.append(TarPadding(records.size()), '\0');
}

}  // namespace

void AppendTarHeader(std::string& out, std::string_view path, const Node& node) {
  assert(node.size == 0 || node.type == NodeType::kFile);
  Header header;
  PaxRecords pax;
  SetPath(header, pax,
          node.type == NodeType::kDirectory ? std::string(path) + "/" : std::string(path));
  SetLink(header, pax, node.target);
  header.Number(kMode, node.mode & 07777);
  SetNumber(header, pax, kUid, "uid", node.uid);
  SetNumber(header, pax, kGid, "gid", node.gid);
  SetNumber(header, pax, kSize, "size", static_cast<std::int64_t>(node.size));
  SetNumber(header, pax, kMtime, "mtime", node.mtime);
  header.Text(kTypeflag, std::string_view(std::array{TypeFlag(node.type)}.data(), 1));
  if (!pax.empty()) AppendPax(out, std::move(pax));
  out += header.Finish();
}

std::size_t TarPadding(std::uint64_t size) {
  return static_cast<std::size_t>((kTarBlock - size % kTarBlock) % kTarBlock);
}

std::uint64_t TarEntrySize(std::string_view path, const Node& node) {
  std::string header;
  AppendTarHeader(header, path, node);
  return header.size() + node.size + TarPadding(node.size);
}

std::string TarEnd() { return std::string(2 * kTarBlock, '\0'); }

}  // namespace imgbuild::layers
