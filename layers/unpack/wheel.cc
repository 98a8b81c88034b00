// Installing a wheel without Python.
//
// An installer unpacks into site-packages, then spreads .data, writes scripts, compiles, and last
// writes RECORD. Here everything leaves in order of path, and RECORD sorts before most of what it
// lists. That works because the wheel's own RECORD already has every hash, which is checked when a
// file passes (once for each wheel: then it is known to be right); what is not in it (scripts,
// markers, .pyc) is small and made first. So the zip is read once, in path order, whatever its own
// order is, and one file at a time is in memory, or, where it is large, a window of it and of the
// zip, from the decompressor straight into the frame. Only Python sources that are compiled are
// inflated twice, and large libraries that are laid out as no linker does it.
#include "layers/unpack/wheel.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "layers/io/file.h"
#include "layers/tree/file_tree.h"
#include "layers/tree/path.h"
#include "layers/tree/tree_union.h"
#include "layers/unpack/entry_points.h"
#include "layers/unpack/font_list.h"
#include "layers/unpack/library_watcher.h"
#include "layers/unpack/pyc.h"
#include "layers/unpack/spool.h"
#include "layers/unpack/verify.h"
#include "layers/unpack/wheel_layout.h"
#include "layers/unpack/wheel_record.h"
#include "layers/unpack/zip_archive.h"
#include "specs/base/error.h"
#include "specs/python/record.h"

namespace imgbuild::layers {
namespace {

using specs::Error;

constexpr std::size_t kWatched = 128u << 10;
constexpr std::uint64_t kMaxText = 16u << 20;  // scripts and metadata
constexpr std::uint32_t kPlain = 0664;
constexpr std::uint32_t kExecutable = 0775;

// A file to be installed: a member as it is, or bytes made here.
struct Item {
  const ZipMember* member = nullptr;
  std::string content;  // where there is no member
  std::uint32_t mode = kPlain;
  std::int64_t mtime = kFixedTime;
  specs::RecordEntry row;  // with hash and size; both empty for .pyc and RECORD
};

// Takes a large file's facts on its way into the frame, and hashes it where the digest is not
// known.
class WatchedSource : public Source {
 public:
  WatchedSource(Source& source, std::uint64_t size, const std::optional<specs::Sha256>& known)
      : source_(source), digest_(known), watcher_(size) {}

  std::size_t Read(std::span<std::byte> buffer) override {
    // What is looked at three times should still be in the processor's cache.
    const std::size_t count = source_.Read(buffer.first(std::min(buffer.size(), kWatched)));
    const std::span<const std::byte> bytes = buffer.first(count);
    if (!digest_) hasher_.Update(bytes);
    watcher_.Watch({reinterpret_cast<const char*>(bytes.data()), count});
    return count;
  }

  specs::Sha256 Digest() { return digest_ ? *digest_ : hasher_.Finish(); }
  std::optional<LibraryFacts> Facts() { return watcher_.Finish(); }

 private:
  Source& source_;
  const std::optional<specs::Sha256> digest_;
  specs::Sha256Hasher hasher_;
  LibraryWatcher watcher_;
};

class WheelInstaller {
 public:
  WheelInstaller(const MappedFile& file, const WheelOptions& options, std::string_view file_name)
      : file_(file),
        options_(options),
        reader_([&file](std::string_view passed) { file.Forget(passed); }),
        zip_(file.bytes()),
        wheel_(IdentifyWheel(zip_, reader_, file_name)),
        layout_(options, wheel_),
        record_(zip_, reader_, wheel_.dist_info),
        spool_(options.scratch, kSpoolMemory) {}

  PackageFacts Install(FrameWriter& frame) {
    AddScripts();
    for (const ZipMember& member : zip_.members()) {
      if (!member.directory) AddMember(member);
    }
    AddMarkers();
    AddFontList();
    AddCompiled();
    AddRecord();
    PackageFacts directories;
    directories.files = Directories();
    if (options_.frame == WheelFrame::kWholeLayer) {
      const TreeInput alone{wheel_.name, &directories};
      const OwnerId owner = 0;
      frame.AddSkeleton(Skeleton(UniteTrees({&alone, 1}).tree, {&owner, 1}));
    }
    return Emit(frame, std::move(directories));
  }

 private:
  std::string DistInfo(std::string_view name) const {
    return fmt::format("{}/{}/{}", layout_.site(), wheel_.dist_info, name);
  }

  void Put(const std::string& path, Item item) {
    item.row.path = layout_.RecordPath(path);
    if (!IsCanonicalPath(path)) throw Error(fmt::format("the path {} is too long", path));
    if (!items_.emplace(path, std::move(item)).second) {
      throw Error(fmt::format("the wheel installs {} twice", path));
    }
  }

  void PutContent(const std::string& path, std::string content, std::uint32_t mode,
                  std::int64_t mtime) {
    Item item;
    item.mode = mode;
    item.mtime = mtime;
    item.row.hash = specs::RecordHash(specs::HashOf(content));
    item.row.size = content.size();
    item.content = std::move(content);
    Put(path, std::move(item));
  }

  void AddScripts() {
    const ZipMember* member = zip_.Find(wheel_.dist_info + "/entry_points.txt");
    if (member == nullptr || member->directory) return;
    std::vector<ScriptEntry> entries = ParseScripts(reader_.ReadText(*member, kMaxText));
    auto pip = std::ranges::find(entries, "pip", &ScriptEntry::name);
    if (wheel_.name == "pip" && pip != entries.end()) {
      // pip's wheel cannot know this name: every installer adds it.
      std::string versioned = "pip" + options_.pyc.python;
      if (std::ranges::find(entries, versioned, &ScriptEntry::name) == entries.end()) {
        entries.push_back({versioned, pip->module, pip->attribute});
      }
    }
    for (const ScriptEntry& entry : entries) {
      std::string path = layout_.Script(entry.name);
      PutContent(path, RenderScript(entry, layout_.Interpreter()), kExecutable, member->mtime);
      made_.insert(path);
    }
  }

  void AddMember(const ZipMember& member) {
    // What installers write; a wheel's own would say something else.
    static const std::set<std::string, std::less<>> kOurs = {"RECORD", "INSTALLER", "REQUESTED",
                                                             "direct_url.json"};
    std::string_view name = member.name;
    if (ParentPath(name) == wheel_.dist_info &&
        kOurs.contains(name.substr(wheel_.dist_info.size() + 1))) {
      return;
    }
    WheelTarget target = layout_.TargetOf(name);
    if (target.scheme == WheelScheme::kScript) return AddScriptMember(member, target.path);
    Item item;
    item.member = &member;
    item.mode = member.executable ? kExecutable : kPlain;
    item.mtime = member.mtime;
    item.row.hash = specs::RecordHash(DigestOf(member));
    item.row.size = member.size;
    Put(target.path, std::move(item));
  }

  // Small, and perhaps rewritten. An entry point's script goes before one of the same name.
  void AddScriptMember(const ZipMember& member, const std::string& path) {
    if (made_.contains(path)) return;
    Item item;
    item.mode = kExecutable;
    item.mtime = member.mtime;
    if (member.size <= kMaxText) {
      std::string script = reader_.ReadText(member, kMaxText);
      record_.Check(member.name, specs::HashOf(script));
      return PutContent(path, RewriteShebang(std::move(script), layout_.Interpreter()), kExecutable,
                        member.mtime);
    }
    item.member = &member;
    item.row.hash = specs::RecordHash(DigestOf(member));
    item.row.size = member.size;
    Put(path, std::move(item));
  }

  // Nullopt: to be found and held against RECORD.
  std::optional<specs::Sha256> KnownDigest(const ZipMember& member) const {
    return options_.record_verified ? record_.Expected(member.name) : std::nullopt;
  }

  // As RECORD promises, which is checked later; read now where it promises nothing.
  specs::Sha256 DigestOf(const ZipMember& member) {
    if (std::optional<specs::Sha256> promised = record_.Expected(member.name)) return *promised;
    spool_.Clear();
    return spool_.Add(reader_.Open(member), member.size).digest;
  }

  void AddMarkers() {
    PutContent(DistInfo("INSTALLER"), "imgbuild\n", kPlain, kFixedTime);
    if (options_.requested == Requested::kDirectly) {
      PutContent(DistInfo("REQUESTED"), "", kPlain, kFixedTime);
    }
  }

  // matplotlib would make it at its first import, in every container anew.
  void AddFontList() {
    const ZipMember* manager = zip_.Find("matplotlib/font_manager.py");
    if (wheel_.name != "matplotlib" || manager == nullptr) return;
    const std::string data = fmt::format("{}/", kMatplotlibData);
    std::vector<FontFile> fonts;
    for (const ZipMember& member : zip_.members()) {
      if (member.directory || !member.name.starts_with(data)) continue;
      const std::string name(member.name.substr(data.size()));
      if (IsListedFont(name)) fonts.push_back({name, reader_.ReadText(member, kMaxText)});
    }
    std::optional<FontList> list = MakeFontList(reader_.ReadText(*manager, kMaxText), fonts);
    if (!list) return;
    PutContent(fmt::format("{}/{}{}", layout_.site(), data, list->name), std::move(list->json),
               kPlain, kFixedTime);
  }

  void AddCompiled() {
    PycBatch batch(options_.pyc);
    for (const auto& [path, item] : items_) {
      if (item.member == nullptr || !batch.Wants(path, layout_.site(), item.member->size)) continue;
      batch.Add(path, layout_.site(), item.mtime,
                reader_.ReadText(*item.member, item.member->size));
    }
    for (auto& [path, compiled] : batch.Finish()) {
      if (items_.contains(path)) continue;  // the wheel's own
      Item item;
      item.mtime = items_.at(compiled.source).mtime;
      item.content = std::move(compiled.bytes);
      Put(path, std::move(item));
    }
  }

  void AddRecord() {
    Item record;
    record.row.path = layout_.RecordPath(DistInfo("RECORD"));
    std::vector<specs::RecordEntry> rows = {record.row};
    for (const auto& [path, item] : items_) rows.push_back(item.row);
    std::ranges::sort(rows, {}, &specs::RecordEntry::path);
    record.content = specs::RenderRecord(rows);
    Put(DistInfo("RECORD"), std::move(record));
  }

  // `facts` has the directories.
  PackageFacts Emit(FrameWriter& frame, PackageFacts facts) {
    facts.kind = "wheel";
    facts.name = wheel_.name;
    facts.version = wheel_.version;
    for (auto& [path, item] : items_) {
      FileFacts file;
      file.path = path;
      file.node.mode = item.mode;
      file.node.uid = options_.uid;
      file.node.gid = options_.gid;
      file.node.mtime = item.mtime;
      if (item.member != nullptr) {
        EmitMember(*item.member, file, frame, facts);
      } else {
        file.node.size = item.content.size();
        file.node.digest = specs::HashOf(item.content);
        frame.Add(path, file.node, item.content);
        item.content = std::string();
      }
      facts.files.push_back(std::move(file));
    }
    facts.gpu_code.assign(gpu_code_.begin(), gpu_code_.end());
    std::ranges::sort(facts.files, {}, &FileFacts::path);
    auto twice = std::ranges::adjacent_find(facts.files, {}, &FileFacts::path);
    if (twice != facts.files.end()) {
      throw Error(fmt::format("the wheel has {} as a file and as a folder", twice->path));
    }
    return facts;
  }

  void EmitMember(const ZipMember& member, FileFacts& file, FrameWriter& frame,
                  PackageFacts& facts) {
    file.node.size = member.size;
    if (member.size > kSpoolMemory) {
      EmitLarge(member, file, frame);
    } else {
      spool_.Clear();
      const SpoolPiece piece = spool_.Add(reader_.Open(member), member.size, KnownDigest(member));
      Passed(member, piece.digest, file);
      const Spool::View view = spool_.Read(piece);
      TakeFacts(ReadLibrary(view.bytes()), file);
      if (IsCaptured(member)) facts.contents.emplace(file.path, view.bytes());
      frame.Add(file.path, file.node, view.bytes());
    }
    mapped_ += member.data.size();
    if (mapped_ > kSpoolMemory) {
      file_.Forget(file_.bytes());
      mapped_ = 0;
    }
  }

  void EmitLarge(const ZipMember& member, FileFacts& file, FrameWriter& frame) {
    WatchedSource content(reader_.Open(member), member.size, KnownDigest(member));
    frame.Add(file.path, file.node, content);
    Passed(member, content.Digest(), file);
    std::optional<LibraryFacts> library = content.Facts();
    if (!library) {
      spool_.Clear();
      const SpoolPiece piece = spool_.Add(reader_.Open(member), member.size, file.node.digest);
      library = ReadLibrary(spool_.Read(piece).bytes());
    }
    TakeFacts(*std::move(library), file);
  }

  void Passed(const ZipMember& member, const specs::Sha256& digest, FileFacts& file) {
    record_.Check(member.name, digest);
    file.node.digest = digest;
  }

  void TakeFacts(LibraryFacts library, FileFacts& file) {
    file.elf = std::move(library.elf);
    gpu_code_.merge(library.gpu_code);
  }

  bool IsCaptured(const ZipMember& member) const {
    static const std::set<std::string, std::less<>> kCaptured = {
        "METADATA", "WHEEL", "entry_points.txt", "top_level.txt"};
    std::string_view name = member.name;
    return member.size <= kMaxText && ParentPath(name) == wheel_.dist_info &&
           kCaptured.contains(name.substr(wheel_.dist_info.size() + 1));
  }

  std::vector<FileFacts> Directories() const {
    std::set<std::string, std::less<>> directories = {options_.prefix};
    for (const auto& [path, item] : items_) {
      std::string_view parent = ParentPath(path);
      while (parent.size() > options_.prefix.size() && !directories.contains(parent)) {
        directories.emplace(parent);
        parent = ParentPath(parent);
      }
    }
    std::vector<FileFacts> facts;
    for (const std::string& path : directories) {
      FileFacts& directory = facts.emplace_back();
      directory.path = path;
      directory.node = MakeDirectory(kExecutable, options_.uid, options_.gid).node;
    }
    return facts;
  }

  const MappedFile& file_;
  const WheelOptions& options_;
  ZipReader reader_;
  ZipArchive zip_;
  WheelIdentity wheel_;
  WheelLayout layout_;
  WheelRecord record_;
  Spool spool_;
  std::map<std::string, Item> items_;  // by installed path
  std::set<std::string> made_;         // paths of entry points' scripts
  std::set<std::string> gpu_code_;
  std::uint64_t mapped_ = 0;  // bytes of the zip read since it was last forgotten
};

}  // namespace

PackageFacts UnpackWheel(const std::filesystem::path& path, const WheelOptions& options,
                         FrameWriter& frame) {
  std::string file_name = options.file_name.empty() ? path.filename().string() : options.file_name;
  return specs::WithContext(fmt::format("while installing {}", file_name), [&] {
    if (!options.verified) VerifyFile(path, options.sha256);
    MappedFile file(path);
    return WheelInstaller(file, options, file_name).Install(frame);
  });
}

}  // namespace imgbuild::layers
