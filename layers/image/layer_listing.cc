#include "layers/image/layer_listing.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include <fmt/core.h>

#include "layers/image/program_version.h"
#include "layers/io/archive.h"
#include "layers/io/hashing.h"
#include "layers/tree/path.h"
#include "specs/base/error.h"

namespace imgbuild::layers {
namespace {

using specs::Error;
using specs::ErrorKind;

constexpr std::uint64_t kMostContent = 64u << 20;
constexpr std::size_t kMostEntries = 4'000'000;

constexpr auto kKept = std::to_array<std::string_view>(
    {"etc/os-release", "usr/lib/os-release", "etc/passwd", "etc/group", "etc/shadow", "etc/gshadow",
     "etc/ssl/certs/ca-certificates.crt", "var/lib/dpkg/status"});

// Where an archive without any entry still counts as one: some tools write nothing but the end.
bool IsEnd(std::string_view bytes) {
  return bytes.find_first_not_of('\0') == std::string_view::npos;
}

// Gives back what was looked at first.
class PeekedSource : public Source {
 public:
  explicit PeekedSource(Source& source) : source_(source) {
    head_.resize(1024);
    std::size_t filled = 0;
    while (filled < head_.size()) {
      const std::size_t n = source_.Read(std::as_writable_bytes(std::span(head_).subspan(filled)));
      if (n == 0) break;
      filled += n;
    }
    head_.resize(filled);
  }

  std::string_view head() const { return std::string_view(head_.data(), head_.size()); }

  std::size_t Read(std::span<std::byte> buffer) override {
    if (given_ == head_.size()) return source_.Read(buffer);
    const std::size_t n = std::min(buffer.size(), head_.size() - given_);
    std::copy_n(std::as_bytes(std::span(head_)).begin() + static_cast<std::ptrdiff_t>(given_), n,
                buffer.begin());
    given_ += n;
    return n;
  }

 private:
  Source& source_;
  std::string head_;
  std::size_t given_ = 0;
};

std::optional<NodeType> TypeOf(ArchiveType type) {
  switch (type) {
    case ArchiveType::kDirectory:
      return NodeType::kDirectory;
    case ArchiveType::kSymlink:
      return NodeType::kSymlink;
    case ArchiveType::kFile:
    case ArchiveType::kHardlink:
    case ArchiveType::kDevice:
      return NodeType::kFile;
    case ArchiveType::kOther:
      return std::nullopt;  // of the archive, not of the file system
  }
  return std::nullopt;
}

class Lister {
 public:
  void Add(ArchiveReader& reader, const ArchiveEntry& entry) {
    const std::optional<std::string> path = CanonicalPath(entry.path);
    if (!path) throw Error("the layer has a path that leads elsewhere").Found(entry.path);
    const std::optional<NodeType> type = TypeOf(entry.type);
    if (path->empty() || !type) return;
    if (files_.size() >= kMostEntries) throw Error("the layer has too many files");
    // A path that comes again is that of its last entry.
    contents_.erase(*path);
    versions_.erase(*path);
    Node node;
    node.type = *type;
    node.mode = entry.mode & 07777;
    node.uid = static_cast<std::uint32_t>(entry.uid);
    node.gid = static_cast<std::uint32_t>(entry.gid);
    if (*type == NodeType::kSymlink) node.target = entry.target;
    if (entry.type == ArchiveType::kFile) node.size = entry.size.value_or(0);
    files_[*path] = {*path, std::move(node), std::nullopt};
    if (entry.type == ArchiveType::kFile) ReadContent(*path, reader);
    if (entry.type == ArchiveType::kHardlink) TakeFrom(entry.target, *path);
  }

  PackageFacts Take(const specs::Sha256& diff_id) {
    PackageFacts facts;
    facts.kind = "layer";
    facts.name = diff_id.Hex();
    for (auto& [path, file] : files_) facts.files.push_back(std::move(file));
    facts.contents = std::move(contents_);
    for (auto& [path, version] : versions_) facts.control[version.first + path] = version.second;
    return facts;
  }

 private:
  void ReadContent(const std::string& path, ArchiveReader& reader) {
    const bool kept = std::ranges::find(kKept, path) != kKept.end();
    const ProgramKind program = ProgramKindOf(path);
    if (!kept && program == ProgramKind::kOther) return;
    BoundedSource bounded(reader.Data(), kMostContent, path);
    std::string content = ReadAll(bounded);
    if (kept) {
      contents_[path] = std::move(content);
    } else if (auto version = ProgramVersion(program, path, content)) {
      const std::string_view mark = program == ProgramKind::kPython ? kPythonMark : kGlibcMark;
      versions_[path] = {std::string(mark), *std::move(version)};
    }
  }

  // Of a hard link: what was found in the file it leads to.
  void TakeFrom(const std::string& written, const std::string& path) {
    const std::optional<std::string> target = CanonicalPath(written);
    if (!target) return;
    if (const auto found = contents_.find(*target); found != contents_.end()) {
      contents_[path] = std::string(found->second);
    }
    if (const auto found = versions_.find(*target); found != versions_.end()) {
      versions_[path] = std::pair(found->second);
    }
  }

  std::map<std::string, FileFacts> files_;
  std::map<std::string, std::string> contents_;
  std::map<std::string, std::pair<std::string, std::string>> versions_;  // path -> mark, version
};

}  // namespace

LayerListing ListLayer(Source& layer, const specs::Sha256& diff_id) {
  const std::unique_ptr<Source> plain = Decompressed(layer);
  HashingSource hashed(*plain);
  PeekedSource source(hashed);
  Lister lister;
  if (!IsEnd(source.head())) {
    ArchiveReader reader(source, ArchiveFormat::kTar);
    while (const std::optional<ArchiveEntry> entry = reader.Next()) lister.Add(reader, *entry);
  }
  NullSink rest;
  CopyAll(source, rest);
  const std::uint64_t size = hashed.count();
  const specs::Sha256 found = hashed.Finish();
  if (found != diff_id) {
    throw Error(ErrorKind::kVerification, "a layer is not what its image says")
        .Found(found.Oci())
        .Expected(diff_id.Oci());
  }
  return {lister.Take(diff_id), size};
}

}  // namespace imgbuild::layers
