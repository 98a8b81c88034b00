#include "layers/unpack/deb_reader.h"

#include <array>

#include <fmt/format.h>

#include "layers/io/archive.h"
#include "layers/io/file.h"
#include "layers/io/hashing.h"
#include "layers/unpack/deb_entries.h"
#include "layers/unpack/deb_paths.h"
#include "layers/unpack/verify.h"
#include "specs/base/error.h"
#include "specs/debian/control.h"

namespace imgbuild::layers {
namespace {

using specs::Error;

constexpr std::uint64_t kMaxControlMember = 16u << 20;
constexpr std::size_t kMaxControlMembers = 256;

[[noreturn]] void NoDeb(std::string found, std::string expected) {
  throw Error("the file is no Debian package of format 2.0")
      .Found(std::move(found))
      .Expected(std::move(expected));
}

// The next member of the ar container that deb(5) does not tell readers to skip.
ArchiveEntry NextMember(ArchiveReader& reader, std::string_view expected) {
  for (;;) {
    std::optional<ArchiveEntry> member = reader.Next();
    if (!member) NoDeb("its end", fmt::format("the member {}", expected));
    while (member->path.ends_with('/')) member->path.pop_back();
    if (!member->path.starts_with('_')) return std::move(*member);
  }
}

void CheckVersion(ArchiveReader& reader) {
  ArchiveEntry member = NextMember(reader, "debian-binary");
  if (member.path != "debian-binary") NoDeb(member.path, "debian-binary");
  BoundedSource bounded(reader.Data(), 4096, "debian-binary");
  std::string version = ReadAll(bounded);
  if (!version.starts_with("2.")) {
    NoDeb(fmt::format("format {}", version.substr(0, version.find('\n'))), "format 2.0");
  }
}

bool IsTar(std::string_view name, std::string_view stem) {
  if (!name.starts_with(stem)) return false;
  std::string_view suffix = name.substr(stem.size());
  constexpr std::array<std::string_view, 6> kSuffixes = {"", ".gz", ".xz", ".zst", ".bz2", ".lzma"};
  return std::find(kSuffixes.begin(), kSuffixes.end(), suffix) != kSuffixes.end();
}

ArchiveEntry FindTar(ArchiveReader& reader, std::string_view stem) {
  ArchiveEntry member = NextMember(reader, stem);
  if (!IsTar(member.path, stem)) NoDeb(member.path, fmt::format("{}, compressed or not", stem));
  return member;
}

std::map<std::string, std::string> ReadControlMembers(Source& compressed) {
  ArchiveReader tar(compressed, ArchiveFormat::kTar);
  std::map<std::string, std::string> members;
  while (std::optional<ArchiveEntry> entry = tar.Next()) {
    std::string path = DebMemberPath(entry->path);
    if (entry->type == ArchiveType::kDirectory) continue;
    if (entry->type != ArchiveType::kFile || path.empty() || path.find('/') != std::string::npos) {
      throw Error(fmt::format("the control archive has {}, which is no plain file", entry->path));
    }
    if (members.size() >= kMaxControlMembers) throw Error("the control archive has too many files");
    BoundedSource bounded(tar.Data(), kMaxControlMember, fmt::format("the control file {}", path));
    if (!members.emplace(path, ReadAll(bounded)).second) {
      throw Error(fmt::format("the control archive has {} twice", path));
    }
  }
  return members;
}

std::string Required(const specs::ControlStanza& stanza, std::string_view field) {
  std::optional<std::string_view> value = stanza.Get(field);
  if (!value || value->empty()) {
    throw Error(fmt::format("the package's control file has no field {}", field));
  }
  return std::string(*value);
}

PackageFacts ControlFacts(std::map<std::string, std::string> members) {
  auto control = members.find("control");
  if (control == members.end()) throw Error("the package has no control file");
  std::vector<specs::ControlStanza> stanzas = specs::ParseControl(control->second, "control");
  if (stanzas.size() != 1) throw Error("the package's control file is not one stanza");
  PackageFacts facts;
  facts.kind = "deb";
  facts.name = Required(stanzas[0], "Package");
  facts.version = Required(stanzas[0], "Version");
  facts.architecture = Required(stanzas[0], "Architecture");
  facts.control = std::move(members);
  return facts;
}

}  // namespace

DebContents ReadDeb(const std::filesystem::path& path, const DebOptions& options, Spool& spool) {
  if (!options.verified) VerifyFile(path, options.sha256);
  FileSource file(path);
  ArchiveReader ar(file, ArchiveFormat::kAr);
  CheckVersion(ar);
  FindTar(ar, "control.tar");
  DebContents contents;
  contents.facts = ControlFacts(ReadControlMembers(ar.Data()));
  FindTar(ar, "data.tar");
  ArchiveReader tar(ar.Data(), ArchiveFormat::kTar);
  DebEntries entries(contents.facts.name, options, spool);
  while (std::optional<ArchiveEntry> entry = tar.Next()) entries.Add(*entry, tar.Data());
  contents.entries = entries.Finish();
  contents.facts.gpu_code.assign(entries.gpu_code().begin(), entries.gpu_code().end());
  return contents;
}

}  // namespace imgbuild::layers
