#include "layers/image/archive_members.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "layers/io/archive.h"
#include "layers/io/file.h"
#include "layers/io/hashing.h"
#include "specs/base/error.h"
#include "specs/base/text.h"
#include "specs/oci/json_document.h"

namespace imgbuild::layers {
namespace {

namespace fs = std::filesystem;
using specs::Error;

constexpr std::size_t kMostMembers = 100'000;
constexpr std::size_t kMostText = 64u << 20;  // kept in memory
constexpr std::size_t kFront = 8;
constexpr int kMostLinks = 8;

// "a/b" for "./a//b", "a/./b" and "a/c/../b"; nullopt for what leads out of the archive.
std::optional<std::string> Normal(std::string_view path) {
  if (path.starts_with('/')) return std::nullopt;
  std::vector<std::string_view> parts;
  for (std::string_view part : specs::Split(path, '/')) {
    if (part.empty() || part == ".") continue;
    if (part != "..") {
      parts.push_back(part);
    } else if (parts.empty()) {
      return std::nullopt;
    } else {
      parts.pop_back();
    }
  }
  return fmt::format("{}", fmt::join(parts, "/"));
}

std::string FolderOf(const std::string& name) {
  const std::size_t slash = name.rfind('/');
  return slash == std::string::npos ? "" : name.substr(0, slash + 1);
}

std::string ReadUpTo(Source& source, std::size_t size) {
  std::string bytes(size, '\0');
  std::size_t filled = 0;
  while (filled < size) {
    const std::size_t got = source.Read(std::as_writable_bytes(std::span(bytes)).subspan(filled));
    if (got == 0) break;
    filled += got;
  }
  bytes.resize(filled);
  return bytes;
}

bool MayBeJson(std::string_view front) {
  front = specs::Trim(front);
  return front.starts_with('{') || front.starts_with('[');
}

// A tar that is not compressed cannot hold more than it is long, whatever its headers (or maps of
// holes) claim.
bool IsPlainTar(const fs::path& file) {
  FileSource source(file);
  return ReadUpTo(source, 262).substr(std::min<std::size_t>(source.size(), 257)) == "ustar";
}

// Names as they are shown: of untrusted bytes.
std::string Shown(std::string_view name) {
  std::string shown;
  for (const char c : name.substr(0, 100)) shown += c >= ' ' && c <= '~' ? c : '?';
  return shown;
}

}  // namespace

ArchiveMembers::ArchiveMembers(fs::path file) : file_(std::move(file)) {
  const bool plain = IsPlainTar(file_);
  FileSource source(file_);
  ArchiveReader reader(source, ArchiveFormat::kTar);
  std::size_t text = 0;
  std::uint64_t total = 0;
  while (const std::optional<ArchiveEntry> entry = reader.Next()) {
    const std::optional<std::string> name = Normal(entry->path);
    if (!name || name->empty() || entry->type == ArchiveType::kDirectory) continue;
    ArchiveMember member;
    if (entry->type == ArchiveType::kFile) {
      member.size = entry->size.value_or(0);
      total += member.size;
      if (plain && (member.size > source.size() || total > source.size())) {
        throw Error("the archive claims to hold more than it is long").Found(Shown(*name));
      }
      member.front = ReadUpTo(reader.Data(), kFront);
      if (member.size <= specs::kMaxDocument && MayBeJson(member.front) &&
          text + member.size <= kMostText) {
        member.text = member.front + ReadUpTo(reader.Data(), member.size - member.front.size());
        text += member.text.size();
      }
    } else if (entry->type == ArchiveType::kSymlink || entry->type == ArchiveType::kHardlink) {
      const bool symbolic = entry->type == ArchiveType::kSymlink;
      const auto target = Normal((symbolic ? FolderOf(*name) : "") + entry->target);
      if (!target || target->empty() || entry->target.starts_with('/')) continue;
      member.target = *target;
    } else {
      continue;
    }
    if (!members_.emplace(*name, std::move(member)).second) {
      throw Error("the archive has two members of one name").Found(Shown(*name));
    }
    if (members_.size() > kMostMembers) {
      throw Error("the archive has too many members")
          .Expected(fmt::format("at most {}", kMostMembers));
    }
  }
}

std::string ArchiveMembers::Resolve(const std::string& name) const {
  std::optional<std::string> at = Normal(name);
  for (int links = 0; at && links <= kMostLinks; ++links) {
    const auto found = members_.find(*at);
    if (found == members_.end()) break;
    if (found->second.target.empty()) return *at;
    at = found->second.target;
  }
  throw Error(fmt::format("{} lacks {}", file_.string(), Shown(name)));
}

std::string ArchiveMembers::ReadText(const std::string& name) const {
  const std::string file = Resolve(name);
  const ArchiveMember& member = At(file);
  if (member.size > specs::kMaxDocument) {
    throw Error(fmt::format("{} is too large to be a document", Shown(name)))
        .Found(specs::HumanBytes(member.size))
        .Expected("at most " + specs::HumanBytes(specs::kMaxDocument));
  }
  if (member.text.size() == member.size) return member.text;
  std::string text;
  Read({file}, [&](const std::string&, Source& content) { text = ReadAll(content); });
  return text;
}

void ArchiveMembers::Read(std::set<std::string> names, const Take& take) const {
  if (names.empty()) return;
  FileSource source(file_);
  ArchiveReader reader(source, ArchiveFormat::kTar);
  while (const std::optional<ArchiveEntry> entry = reader.Next()) {
    const std::optional<std::string> name = Normal(entry->path);
    if (!name || entry->type != ArchiveType::kFile || names.erase(*name) == 0) continue;
    BoundedSource content(reader.Data(), At(*name).size, Shown(*name));
    take(*name, content);
    if (names.empty()) return;
  }
  throw Error(fmt::format("{} was changed while it was read", file_.string()))
      .Found(fmt::format("no {} any more", Shown(*names.begin())));
}

}  // namespace imgbuild::layers
