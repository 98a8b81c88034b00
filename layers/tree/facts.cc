// The stored form of facts, version 2:
//
//   "imgbuild-facts 3\n"
//   kind, name, version, architecture           strings
//   count, then for each file in order of path:
//     shared, rest      the path: bytes it shares with the path before it, then the rest
//     flags             bits 0-1 NodeType, bit 2 ELF facts follow
//     mode, uid, gid, mtime
//     kFile:            size, 32 bytes of digest
//     links:            target
//     ELF:              machine, shared object 0/1, soname, needed and runpath (lists of strings)
//   GPU code            list of strings
//   contents, control   each a count, then pairs of strings in order of key
//
// Numbers are LEB128 without padding, signed ones zigzag; strings are a length and bytes. There is
// one form for each value: what parses renders to the same bytes again.
#include "layers/tree/facts.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include <fmt/format.h>

#include "layers/tree/path.h"
#include "specs/base/error.h"

namespace imgbuild::layers {
namespace {

constexpr std::string_view kHeader = "imgbuild-facts 3\n";
constexpr std::uint8_t kTypeBits = 3;
constexpr std::uint8_t kHasElf = 4;

class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}

  void Number(std::uint64_t value) {
    while (value >= 0x80) {
      out_ += static_cast<char>(value | 0x80);
      value >>= 7;
    }
    out_ += static_cast<char>(value);
  }
  void Signed(std::int64_t value) {
    Number(static_cast<std::uint64_t>(value) << 1 ^ static_cast<std::uint64_t>(value >> 63));
  }
  void Text(std::string_view text) {
    Number(text.size());
    out_ += text;
  }
  void Texts(const std::vector<std::string>& texts) {
    Number(texts.size());
    for (const std::string& text : texts) Text(text);
  }
  void Texts(const std::map<std::string, std::string>& texts) {
    Number(texts.size());
    for (const auto& [key, value] : texts) {
      Text(key);
      Text(value);
    }
  }
  void Digest(const specs::Sha256& digest) {
    out_.append(reinterpret_cast<const char*>(digest.bytes().data()), specs::Sha256::kSize);
  }

 private:
  std::string& out_;
};

// Every read is bounded by what is left, so no count or length can ask for more memory than a
// small multiple of the bytes at hand.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes), size_(bytes.size()) {}

  [[noreturn]] void Fail(std::string_view what) const {
    throw specs::Error(
        fmt::format("the package facts are damaged: {} at byte {}", what, size_ - bytes_.size()))
        .Hint("remove the entry from the cache; it is made again from the package");
  }
  void Require(bool condition, std::string_view what) const {
    if (!condition) Fail(what);
  }
  bool AtEnd() const { return bytes_.empty(); }

  std::uint64_t Number() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      auto byte = static_cast<std::uint8_t>(Bytes(1)[0]);
      Require(shift < 63 || byte <= 1, "a number is too large");
      value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) {
        Require(byte != 0 || shift == 0, "a number is padded");
        return value;
      }
    }
    Fail("a number is too long");
  }
  template <typename Unsigned>
  Unsigned NumberUpTo(Unsigned limit) {
    std::uint64_t value = Number();
    Require(value <= limit, "a number is out of range");
    return static_cast<Unsigned>(value);
  }
  std::int64_t Signed() {
    std::uint64_t value = Number();
    return static_cast<std::int64_t>(value >> 1 ^ (~(value & 1) + 1));
  }
  // How many items follow, of at least `item_size` bytes each.
  std::size_t Count(std::size_t item_size) {
    std::uint64_t count = Number();
    Require(count <= bytes_.size() / item_size, "a count is too large");
    return static_cast<std::size_t>(count);
  }
  std::string_view Bytes(std::uint64_t size) {
    Require(size <= bytes_.size(), "it ends too early");
    std::string_view front = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return front;
  }
  std::string_view Text() { return Bytes(Number()); }
  std::vector<std::string> TextList() {
    std::vector<std::string> texts(Count(1));
    for (std::string& text : texts) text = Text();
    return texts;
  }
  std::map<std::string, std::string> TextMap() {
    std::map<std::string, std::string> texts;
    for (std::size_t count = Count(2); count > 0; --count) {
      std::string_view key = Text();
      Require(texts.empty() || texts.rbegin()->first < key, "keys are out of order");
      texts.emplace_hint(texts.end(), key, Text());
    }
    return texts;
  }
  specs::Sha256 Digest() {
    std::array<std::uint8_t, specs::Sha256::kSize> bytes;
    std::memcpy(bytes.data(), Bytes(bytes.size()).data(), bytes.size());
    return specs::Sha256(bytes);
  }

 private:
  std::string_view bytes_;
  std::size_t size_;
};

void WriteElf(Writer& writer, const ElfFacts& elf) {
  writer.Number(elf.machine);
  writer.Number(elf.shared_object ? 1 : 0);
  writer.Text(elf.soname);
  writer.Texts(elf.needed);
  writer.Texts(elf.runpath);
}

ElfFacts ReadElf(Reader& reader) {
  ElfFacts elf;
  elf.machine = reader.NumberUpTo<std::uint16_t>(0xffff);
  elf.shared_object = reader.NumberUpTo<std::uint8_t>(1) == 1;
  elf.soname = reader.Text();
  elf.needed = reader.TextList();
  elf.runpath = reader.TextList();
  return elf;
}

void WriteFile(Writer& writer, const FileFacts& file, std::string_view previous) {
  auto [end, unused] = std::ranges::mismatch(file.path, previous);
  auto shared = static_cast<std::size_t>(end - file.path.begin());
  writer.Number(shared);
  writer.Text(std::string_view(file.path).substr(shared));
  const Node& node = file.node;
  writer.Number(static_cast<std::uint64_t>(node.type) | (file.elf ? kHasElf : 0));
  writer.Number(node.mode);
  writer.Number(node.uid);
  writer.Number(node.gid);
  writer.Signed(node.mtime);
  if (node.type == NodeType::kFile) {
    writer.Number(node.size);
    writer.Digest(node.digest);
  } else if (node.type != NodeType::kDirectory) {
    writer.Text(node.target);
  }
  if (file.elf) WriteElf(writer, *file.elf);
}

std::string ReadPath(Reader& reader, std::string_view previous) {
  std::uint64_t shared = reader.Number();
  reader.Require(shared <= previous.size(), "a path shares too much");
  std::string_view rest = reader.Text();
  reader.Require(rest.size() <= kMaxPath, "a path is too long");
  std::string path;
  path.reserve(shared + rest.size());
  path.append(previous, 0, shared).append(rest);
  reader.Require(IsCanonicalPath(path), "a path is not canonical");
  reader.Require(previous < path, "paths are out of order");
  reader.Require(shared == previous.size() || rest[0] != previous[shared],
                 "a path is not shortest");
  return path;
}

FileFacts ReadFile(Reader& reader, std::string_view previous) {
  FileFacts file;
  file.path = ReadPath(reader, previous);
  auto flags = reader.NumberUpTo<std::uint8_t>(kTypeBits | kHasElf);
  Node& node = file.node;
  node.type = static_cast<NodeType>(flags & kTypeBits);
  node.mode = reader.NumberUpTo<std::uint32_t>(07777);
  node.uid = reader.NumberUpTo<std::uint32_t>(0xffff'ffff);
  node.gid = reader.NumberUpTo<std::uint32_t>(0xffff'ffff);
  node.mtime = reader.Signed();
  if (node.type == NodeType::kFile) {
    node.size = reader.NumberUpTo<std::uint64_t>(1ull << 62);
    node.digest = reader.Digest();
  } else if (node.type != NodeType::kDirectory) {
    node.target = reader.Text();
    reader.Require(!node.target.empty() && node.target.size() <= kMaxPath &&
                       node.target.find('\0') == std::string::npos,
                   "a link's target cannot be");
    reader.Require(node.type != NodeType::kHardlink || IsCanonicalPath(node.target),
                   "a hard link's target is not canonical");
  }
  if (flags & kHasElf) file.elf = ReadElf(reader);
  return file;
}

}  // namespace

std::string RenderFacts(const PackageFacts& facts) {
  std::string out(kHeader);
  Writer writer(out);
  for (const std::string* text : {&facts.kind, &facts.name, &facts.version, &facts.architecture}) {
    writer.Text(*text);
  }
  writer.Number(facts.files.size());
  std::string_view previous;
  for (const FileFacts& file : facts.files) {
    if (!(previous < file.path) || !IsCanonicalPath(file.path)) {
      throw specs::Error(
          fmt::format("the files of {} cannot be recorded: {} is not canonical or "
                      "out of order",
                      facts.name, file.path));
    }
    WriteFile(writer, file, previous);
    previous = file.path;
  }
  writer.Texts(facts.gpu_code);
  writer.Texts(facts.contents);
  writer.Texts(facts.control);
  return out;
}

PackageFacts ParseFacts(std::string_view bytes) {
  constexpr std::size_t kSmallestFile = 8;
  Reader reader(bytes);
  reader.Require(bytes.starts_with(kHeader), "no version that this program knows");
  reader.Bytes(kHeader.size());
  PackageFacts facts;
  facts.kind = reader.Text();
  facts.name = reader.Text();
  facts.version = reader.Text();
  facts.architecture = reader.Text();
  std::size_t count = reader.Count(kSmallestFile);
  facts.files.reserve(std::min<std::size_t>(count, 1 << 16));
  for (; count > 0; --count) {
    std::string_view previous;
    if (!facts.files.empty()) previous = facts.files.back().path;
    facts.files.push_back(ReadFile(reader, previous));
  }
  facts.gpu_code = reader.TextList();
  facts.contents = reader.TextMap();
  facts.control = reader.TextMap();
  reader.Require(reader.AtEnd(), "there is more after the end");
  return facts;
}

void FuzzFacts(std::string_view bytes) {
  try {
    PackageFacts facts = ParseFacts(bytes);
    if (RenderFacts(facts) != bytes) throw std::logic_error("facts have two forms");
  } catch (const specs::Error&) {
  }
}

}  // namespace imgbuild::layers
