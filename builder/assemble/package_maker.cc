#include "builder/assemble/package_maker.h"

#include <algorithm>

#include <fmt/core.h>

#include "builder/plan/layer_plan.h"
#include "layers/store/package_record.h"
#include "layers/unpack/deb.h"
#include "layers/write/frame.h"
#include "layers/write/tar.h"
#include "specs/base/error.h"
#include "specs/base/key.h"

namespace imgbuild::builder {
namespace {

using specs::LockedPackage;

layers::Requested RequestedBy(const LockedPackage& package) {
  const auto& by = package.required_by;
  return std::find(by.begin(), by.end(), "spec") != by.end() ? layers::Requested::kDirectly
                                                             : layers::Requested::kAsDependency;
}

// The plan gives a heavy package a layer of its own, so it is made one at once. Debian packages are
// in none alone: what scanners look for lies with them.
layers::WheelFrame FrameOf(const LockedPackage& package) {
  return package.size >= kHeavyBytes ? layers::WheelFrame::kWholeLayer
                                     : layers::WheelFrame::kEntries;
}

// What is that large is made of code for other processors, most of it (CUDA and what is built on
// it): see zstd_codec.cc for what the lighter level costs there.
constexpr std::uint64_t kLightBytes = 40u << 20;  // of the archive

layers::Effort EffortFor(const LockedPackage& package) {
  return package.size >= kLightBytes ? layers::Effort::kLight : layers::Effort::kNormal;
}

ReadyPackage FromStore(const LockedPackage& package, layers::StoredPackage stored) {
  return {.locked = &package,
          .facts = layers::ParseFacts(stored.facts),
          .frame = std::move(stored.frame),
          .frame_path = std::move(stored.frame_path)};
}

}  // namespace

specs::Sha256 PackageMaker::Key(const LockedPackage& package) const {
  specs::KeyBuilder key(kPackageVersion);
  key.Add("tar", layers::kTarVersion).Add("archive", package.sha256);
  key.Add("compile", static_cast<std::uint64_t>(options_.compile));
  if (options_.compile != specs::Compile::kNone) key.Add("compiler", options_.compiler_id);
  key.Add("python", options_.python);
  if (package.kind == specs::PackageKind::kDeb) {
    key.Add("unpack", layers::kDebVersion).Add("suite", specs::SuiteName(options_.suite));
  } else {
    key.Add("unpack", layers::kWheelVersion);
    key.Add("requested", static_cast<std::uint64_t>(RequestedBy(package)));
  }
  return key.Finish();
}

std::optional<ReadyPackage> PackageMaker::Find(const LockedPackage& package) const {
  const specs::Sha256 key = Key(package);
  std::optional<layers::StoredPackage> stored = store_.FindPackage(key, codec_.id());
  if (!stored) return std::nullopt;
  try {
    return FromStore(package, *std::move(stored));
  } catch (const specs::Error&) {
    store_.DropPackage(key, codec_.id());  // whole, but no facts that we know
    return std::nullopt;
  }
}

std::optional<ReadyPackage> PackageMaker::Adopt(const LockedPackage& package,
                                                std::string_view record) {
  std::optional<layers::StoredPackage> stored = layers::ParsePackage(record);
  if (!stored || stored->frame.codec != codec_.id()) return std::nullopt;
  if (stored->frame.compressed_size > 0) {
    stored->frame_path = store_.paths().Frame(stored->frame.digest);
  }
  try {
    ReadyPackage ready = FromStore(package, *stored);
    store_.PutPackage(Key(package), stored->frame, stored->facts, nullptr);
    return ready;
  } catch (const specs::Error&) {
    return std::nullopt;  // no facts that we know
  }
}

layers::PycOptions PackageMaker::Pyc() const {
  const bool none = options_.compile == specs::Compile::kNone;
  return {
      .compiler = none ? nullptr : compiler_, .mode = options_.compile, .python = options_.python};
}

ReadyPackage PackageMaker::Make(const LockedPackage& package,
                                const std::filesystem::path& archive) {
  const specs::Sha256 key = Key(package);
  const layers::EntryLock lock = store_.Lock("package", key);
  if (auto found = Find(package)) return *std::move(found);

  const auto stamp = layers::FileStamp::Of(archive);
  const bool verified = store_.IsVerified(package.sha256);
  const std::unique_ptr<layers::AtomicFile> file = store_.NewFile();
  layers::FrameWriter writer(*file, codec_, executor_, EffortFor(package));
  layers::PackageFacts facts;
  try {
    if (package.kind == specs::PackageKind::kDeb) {
      facts = layers::UnpackDeb(archive,
                                {.sha256 = package.sha256,
                                 .verified = verified,
                                 .suite = options_.suite,
                                 .filter = layers::PathFilter::kSlim,
                                 .pyc = Pyc(),
                                 .scratch = store_.paths().Temporary()},
                                writer);
    } else {
      facts = layers::UnpackWheel(archive,
                                  {.sha256 = package.sha256,
                                   .verified = verified,
                                   .record_verified = store_.IsRecordVerified(package.sha256),
                                   .file_name = package.file,
                                   .requested = RequestedBy(package),
                                   .frame = FrameOf(package),
                                   .pyc = Pyc(),
                                   .scratch = store_.paths().Temporary()},
                                  writer);
      store_.NoteRecordVerified(package.sha256);
    }
  } catch (specs::Error& error) {
    throw std::move(error.In(fmt::format("while unpacking {} {}", package.name, package.version)));
  }
  if (!verified && stamp) store_.NoteVerified(package.sha256, *stamp);
  const layers::FrameInfo info = writer.Finish();
  const layers::FrameRecord record{.codec = info.codec,
                                   .tar_size = info.tar_size,
                                   .compressed_size = info.compressed_size,
                                   .digest = info.digest,
                                   .before = info.layer ? info.layer->before : 0,
                                   .after = info.layer ? info.layer->after : 0};
  store_.PutPackage(key, record, layers::RenderFacts(facts),
                    info.compressed_size > 0 ? file.get() : nullptr);
  return {.locked = &package,
          .facts = std::move(facts),
          .frame = record,
          .frame_path = info.compressed_size > 0 ? store_.paths().Frame(info.digest) : "",
          .made = true,
          .layer = info.layer};
}

}  // namespace imgbuild::builder
