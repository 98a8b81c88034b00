#include "layers/store/store.h"

#include <atomic>
#include <cerrno>
#include <chrono>

#include <fmt/core.h>
#include <unistd.h>

#include "layers/io/file.h"
#include "layers/store/sealed_text.h"
#include "specs/base/error.h"
#include "specs/base/text.h"

namespace imgbuild::layers {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kTagText =
    "Signature: 8a477f597d28d172789f06886806bc55\n"
    "# A cache of imgbuild; it can be removed at any time (https://bford.info/cachedir/).\n";
constexpr std::chrono::hours kStale(24);

void MakeDirectory(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) {
    throw FileError("create the cache at", path, error.value())
        .Hint("set XDG_CACHE_HOME, or name another place with --cache-dir");
  }
}

// What a killed process left. Nothing younger: another one may be at it.
void RemoveStale(const fs::path& folder) {
  const auto now = fs::file_time_type::clock::now();
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    const auto written = entry.last_write_time(ignored);
    if (!ignored && now - written > kStale) fs::remove_all(entry.path(), ignored);
  }
}

std::optional<std::string> ReadSealed(const fs::path& path) {
  std::error_code error;
  if (!fs::exists(path, error)) return std::nullopt;
  return Unseal(ReadFile(path));
}

std::string RenderFrame(const FrameRecord& frame) {
  return fmt::format("{} {} {} {}\n", frame.codec, frame.tar_size, frame.compressed_size,
                     frame.digest.Hex());
}

std::optional<FrameRecord> ParseFrame(std::string_view line) {
  const std::vector<std::string_view> words = specs::SplitWords(line);
  if (words.size() != 4) return std::nullopt;
  const auto tar_size = specs::ParseUnsigned(words[1]);
  const auto compressed_size = specs::ParseUnsigned(words[2]);
  const auto digest = specs::Sha256::Parse(words[3]);
  if (!tar_size || !compressed_size || !digest) return std::nullopt;
  return FrameRecord{std::string(words[0]), *tar_size, *compressed_size, *digest};
}

bool HasSize(const fs::path& path, std::uint64_t size) {
  std::error_code error;
  return fs::file_size(path, error) == size && !error;
}

void PublishUnsynced(AtomicFile& file, const fs::path& target) {
  fs::create_directories(target.parent_path());
  file.PublishUnsynced(target);
}

}  // namespace

Store::Store(fs::path root) : paths_(std::move(root)) {
  for (const fs::path& folder :
       {paths_.Temporary(), paths_.Partial(), paths_.Locks(), paths_.Layouts(), paths_.Trees()}) {
    MakeDirectory(folder);
  }
  if (!fs::exists(paths_.Tag())) {
    AtomicFile tag(paths_.Temporary());
    tag.Write(kTagText);
    tag.PublishUnsynced(paths_.Tag());
  }
  RemoveStale(paths_.Temporary());
}

std::optional<fs::path> Store::FindDownload(const specs::Sha256& digest) const {
  const fs::path path = paths_.Download(digest);
  std::error_code error;
  if (!fs::exists(path, error)) return std::nullopt;
  return path;
}

std::unique_ptr<PartialDownload> Store::OpenDownload(const specs::Sha256& digest) {
  return std::make_unique<PartialDownload>(paths_.PartialDownload(digest), paths_.Download(digest),
                                           paths_.Lock("download", digest));
}

void Store::DropDownload(const specs::Sha256& digest) {
  std::error_code ignored;
  fs::remove(paths_.Download(digest), ignored);
}

std::optional<StoredPackage> Store::FindPackage(const specs::Sha256& key,
                                                std::string_view codec) const {
  std::optional<std::string> text = ReadSealed(paths_.Package(key, codec));
  if (!text) return std::nullopt;
  const std::size_t end = text->find('\n');
  std::optional<FrameRecord> frame = ParseFrame(std::string_view(*text).substr(0, end));
  if (!frame || end == std::string::npos) return std::nullopt;
  StoredPackage found{.facts = text->substr(end + 1), .frame = *frame, .frame_path = {}};
  if (frame->compressed_size > 0) {
    found.frame_path = paths_.Frame(frame->digest);
    if (!HasSize(found.frame_path, frame->compressed_size)) return std::nullopt;
  }
  return found;
}

void Store::PutPackage(const specs::Sha256& key, const FrameRecord& frame, std::string_view facts,
                       AtomicFile* frame_file) {
  if (frame_file != nullptr) PublishUnsynced(*frame_file, paths_.Frame(frame.digest));
  const std::string head = RenderFrame(frame);
  AtomicFile file(paths_.Temporary());
  file.Write(Seal(head + std::string(facts)));
  PublishUnsynced(file, paths_.Package(key, frame.codec));
}

std::optional<fs::path> Store::FindBlob(const specs::Sha256& digest, std::uint64_t size) const {
  fs::path path = paths_.Blob(digest);
  if (!HasSize(path, size)) return std::nullopt;
  return path;
}

void Store::PutBlob(const specs::Sha256& digest, AtomicFile& file) {
  const fs::path target = paths_.Blob(digest);
  fs::create_directories(target.parent_path());
  file.Publish(target);
}

void Store::PutBlob(const specs::Sha256& digest, std::string_view bytes) {
  AtomicFile file(paths_.Temporary());
  file.Write(bytes);
  PutBlob(digest, file);
}

std::optional<std::string> Store::FindAction(const specs::Sha256& key) const {
  return ReadSealed(paths_.Action(key));
}

void Store::PutAction(const specs::Sha256& key, std::string_view result) {
  AtomicFile file(paths_.Temporary());
  file.Write(Seal(result));
  PublishUnsynced(file, paths_.Action(key));
}

std::optional<fs::path> Store::FindTree(const specs::Sha256& key) const {
  fs::path path = paths_.Tree(key);
  std::error_code error;
  if (!fs::is_directory(path, error)) return std::nullopt;
  return path;
}

fs::path Store::PutTree(const specs::Sha256& key, const fs::path& directory) {
  fs::path target = paths_.Tree(key);
  // Many small files that are executed, not checked: durable before they can be found.
  SyncFileSystem(directory);
  if (rename(directory.c_str(), target.c_str()) != 0) {
    if (errno != EEXIST && errno != ENOTEMPTY) throw FileError("create", target, errno);
    fs::remove_all(directory);  // another build was faster
  }
  return target;
}

std::unique_ptr<AtomicFile> Store::NewFile() const {
  return std::make_unique<AtomicFile>(paths_.Temporary());
}

fs::path Store::NewDirectory() const {
  std::string name = (paths_.Temporary() / ".imgbuild-tmp-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw FileError("create", name, errno);
  return name;
}

EntryLock Store::Lock(std::string_view kind, const specs::Sha256& key) const {
  return EntryLock(paths_.Lock(kind, key));
}

fs::path Store::IndexDirectory(std::string_view name) const {
  fs::path path = paths_.Index(name);
  MakeDirectory(path);
  return path;
}

}  // namespace imgbuild::layers
