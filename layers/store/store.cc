#include "layers/store/store.h"

#include <cerrno>

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include "layers/io/file.h"
#include "layers/io/hashing.h"
#include "layers/store/cache_folder.h"
#include "layers/store/package_record.h"
#include "layers/store/sealed_text.h"
#include "layers/store/stale.h"
#include "layers/store/tree_digest.h"
#include "specs/base/error.h"

namespace imgbuild::layers {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kTagText =
    "Signature: 8a477f597d28d172789f06886806bc55\n"
    "# A cache of imgbuild; it can be removed at any time (https://bford.info/cachedir/).\n";
// Nullopt also where it cannot be read: it is made again then.
std::optional<std::string> ReadSealed(const fs::path& path) {
  std::error_code error;
  if (!fs::exists(path, error)) return std::nullopt;
  try {
    return Unseal(ReadFile(path));
  } catch (const specs::Error&) {
    return std::nullopt;
  }
}

bool HasSize(const fs::path& path, std::uint64_t size) {
  std::error_code error;
  return fs::file_size(path, error) == size && !error;
}

void PublishUnsynced(AtomicFile& file, const fs::path& target) {
  MakeFolder(target.parent_path());
  InCache(target, [&] { file.PublishUnsynced(target); });
}

void Remove(const fs::path& path) {
  std::error_code error;
  fs::remove(path, error);
  if (error) {
    InCache(path, [&] { throw FileError("remove the damaged", path, error.value()); });
  }
}

// An entry that is named after its content.
bool Recheck(const fs::path& path, const specs::Sha256& digest) {
  std::error_code error;
  if (!fs::exists(path, error)) return false;
  try {
    if (HashFile(path) == digest) return true;
  } catch (const specs::Error&) {  // what cannot be read is of no use
  }
  Remove(path);
  return false;
}

}  // namespace

Store::Store(fs::path root) : paths_(std::move(root)), verified_(paths_.Verified()) {
  for (const fs::path& folder :
       {paths_.Temporary(), paths_.Partial(), paths_.Locks(), paths_.Layouts(), paths_.Trees()}) {
    MakeFolder(folder);
  }
  presence_ = EnterAndRemoveStale(paths_);
  std::error_code error;
  if (!fs::exists(paths_.Tag(), error)) {
    InCache(paths_.Tag(), [this] {
      AtomicFile tag(paths_.Temporary());
      tag.Write(kTagText);
      tag.PublishUnsynced(paths_.Tag());
    });
  }
}

bool Store::TryToBeAlone() {
  const bool alone = layers::TryToBeAlone(presence_);
  if (!alone) BeOneOfMany(presence_);  // whoever fails has lost what it held
  return alone;
}

void Store::LetOthersIn() { BeOneOfMany(presence_); }

std::optional<fs::path> Store::FindDownload(const specs::Sha256& digest) const {
  fs::path path = paths_.Download(digest);
  std::error_code error;
  if (!fs::exists(path, error)) return std::nullopt;
  return path;
}

std::unique_ptr<PartialDownload> Store::OpenDownload(const specs::Sha256& digest) {
  const fs::path partial = paths_.PartialDownload(digest);
  return InCache(partial, [&] {
    return std::make_unique<PartialDownload>(partial, paths_.Download(digest),
                                             paths_.DownloadLock(digest));
  });
}

void Store::PutDownload(const specs::Sha256& digest, PartialDownload& whole) {
  whole.Publish();
  if (const auto stamp = FileStamp::Of(paths_.Download(digest))) verified_.Note(digest, *stamp);
}

bool Store::IsVerified(const specs::Sha256& download) const {
  return verified_.Has(download, paths_.Download(download));
}

void Store::NoteVerified(const specs::Sha256& download, const FileStamp& stamp) {
  verified_.Note(download, stamp);
}

bool Store::IsRecordVerified(const specs::Sha256& wheel) const {
  return verified_.HasRecord(wheel);
}

void Store::NoteRecordVerified(const specs::Sha256& wheel) { verified_.NoteRecord(wheel); }

bool Store::RecheckDownload(const specs::Sha256& digest) {
  return Recheck(paths_.Download(digest), digest);
}

std::optional<StoredPackage> Store::FindPackage(const specs::Sha256& key,
                                                std::string_view codec) const {
  std::optional<std::string> text = ReadSealed(paths_.Package(key, codec));
  if (!text) return std::nullopt;
  std::optional<StoredPackage> found = ParsePackage(*text);
  if (found && found->frame.compressed_size > 0) {
    found->frame_path = paths_.Frame(found->frame.digest);
    if (!HasSize(found->frame_path, found->frame.compressed_size)) return std::nullopt;
  }
  return found;
}

void Store::PutPackage(const specs::Sha256& key, const FrameRecord& frame, std::string_view facts,
                       AtomicFile* frame_file) {
  if (frame_file != nullptr) PutFrame(frame.digest, *frame_file);
  const std::unique_ptr<AtomicFile> file = NewFile();
  file->Write(Seal(RenderPackage(frame, facts)));
  PublishUnsynced(*file, paths_.Package(key, frame.codec));
}

bool Store::HasFrame(const FrameRecord& frame) const {
  return frame.compressed_size == 0 || HasSize(paths_.Frame(frame.digest), frame.compressed_size);
}

void Store::PutFrame(const specs::Sha256& digest, AtomicFile& file) {
  PublishUnsynced(file, paths_.Frame(digest));
}

void Store::DropPackage(const specs::Sha256& key, std::string_view codec) {
  Remove(paths_.Package(key, codec));
}

bool Store::RecheckFrame(const specs::Sha256& digest) {
  return Recheck(paths_.Frame(digest), digest);
}

std::optional<fs::path> Store::FindBlob(const specs::Sha256& digest, std::uint64_t size) const {
  fs::path path = paths_.Blob(digest);
  if (!HasSize(path, size)) return std::nullopt;
  return path;
}

void Store::PutBlob(const specs::Sha256& digest, AtomicFile& file) {
  const fs::path target = paths_.Blob(digest);
  MakeFolder(target.parent_path());
  std::error_code error;
  fs::permissions(file.temporary(),
                  fs::perms::owner_write | fs::perms::group_write | fs::perms::others_write,
                  fs::perm_options::remove, error);
  if (error) throw FileError("change the mode of", file.temporary(), error.value());
  InCache(target, [&] { file.PublishUnsynced(target); });
  const std::lock_guard lock(mutex_);
  fresh_.insert(digest);
}

bool Store::PutFrameAsBlob(const specs::Sha256& digest) {
  const fs::path frame = paths_.Frame(digest);
  const fs::path target = paths_.Blob(digest);
  MakeFolder(target.parent_path());
  const FileDescriptor fd(::open(frame.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid() || ::fchmod(fd.get(), 0444) != 0) return false;
  const fs::path folder = NewDirectory();  // a link cannot replace what is there, a rename can
  const fs::path link = folder / "blob";
  const bool linked =
      ::link(frame.c_str(), link.c_str()) == 0 && ::rename(link.c_str(), target.c_str()) == 0;
  std::error_code ignored;
  fs::remove_all(folder, ignored);
  if (!linked) return false;
  const std::lock_guard lock(mutex_);
  fresh_.insert(digest);
  return true;
}

bool Store::IsFresh(const specs::Sha256& blob) const {
  const std::lock_guard lock(mutex_);
  return fresh_.contains(blob);
}

void Store::PutBlob(const specs::Sha256& digest, std::string_view bytes) {
  const std::unique_ptr<AtomicFile> file = NewFile();
  file->Write(bytes);
  PutBlob(digest, *file);
}

std::unique_ptr<PartialDownload> Store::OpenBlob(const specs::Sha256& digest, std::uint64_t size) {
  const fs::path partial = paths_.PartialDownload(digest);
  const fs::path target = paths_.Blob(digest);
  std::error_code error;
  if (fs::exists(target, error) && !HasSize(target, size)) Remove(target);
  return InCache(partial, [&] {
    return std::make_unique<PartialDownload>(partial, target, paths_.DownloadLock(digest));
  });
}

void Store::PutBlob(const specs::Sha256& digest, PartialDownload& whole) {
  whole.PublishReadOnly();
  const std::lock_guard lock(mutex_);
  fresh_.insert(digest);
}

bool Store::RecheckBlob(const specs::Sha256& digest) {
  return Recheck(paths_.Blob(digest), digest);
}

std::optional<std::string> Store::FindAction(const specs::Sha256& key) const {
  return ReadSealed(paths_.Action(key));
}

void Store::PutAction(const specs::Sha256& key, std::string_view result) {
  const std::unique_ptr<AtomicFile> file = NewFile();
  file->Write(Seal(result));
  PublishUnsynced(*file, paths_.Action(key));
}

std::optional<fs::path> Store::FindTree(const specs::Sha256& key) const {
  fs::path path = paths_.Tree(key);
  std::error_code error;
  if (!fs::is_directory(path, error)) return std::nullopt;
  return path;
}

fs::path Store::PutTree(const specs::Sha256& key, const fs::path& directory) {
  fs::path target = paths_.Tree(key);
  const std::unique_ptr<AtomicFile> digest = NewFile();
  digest->Write(Seal(TreeDigest(directory).Hex()));
  PublishUnsynced(*digest, paths_.TreeDigest(key));
  // Many small files that are executed, not checked: durable before they can be found.
  SyncFileSystem(directory);
  if (rename(directory.c_str(), target.c_str()) != 0) {
    const int reason = errno;
    std::error_code ignored;
    fs::remove_all(directory, ignored);
    if (reason != EEXIST && reason != ENOTEMPTY) {
      InCache(target, [&] { throw FileError("create", target, reason); });
    }
  }
  return target;
}

std::unique_ptr<AtomicFile> Store::NewFile() const {
  return InCache(paths_.Temporary() / "new",
                 [this] { return std::make_unique<AtomicFile>(paths_.Temporary()); });
}

fs::path Store::NewDirectory() const {
  std::string name = (paths_.Temporary() / fmt::format("{}XXXXXX", kTemporaryPrefix)).string();
  InCache(name, [&] {
    if (mkdtemp(name.data()) == nullptr) throw FileError("create", name, errno);
  });
  return name;
}

EntryLock Store::Lock(std::string_view kind, const specs::Sha256& key) const {
  const fs::path file = paths_.Lock(kind, key);
  return InCache(file, [&] { return EntryLock(file); });
}

fs::path Store::IndexDirectory(std::string_view name) const {
  fs::path path = paths_.Index(name);
  MakeFolder(path);
  return path;
}

}  // namespace imgbuild::layers
