#include "builder/cli/lock_session.h"

#include <algorithm>
#include <filesystem>

#include <fmt/core.h>

#include "builder/cli/base_access.h"
#include "builder/cli/local_files.h"
#include "builder/cli/version.h"
#include "builder/cli/writable.h"
#include "builder/lock/make_lock.h"
#include "layers/io/atomic_file.h"
#include "layers/io/file.h"
#include "layers/io/hashing.h"
#include "specs/base/error.h"
#include "specs/base/text.h"
#include "specs/env/canonical.h"
#include "specs/python/name.h"

namespace imgbuild::builder {
namespace {

// What --upgrade calls the image to build on.
constexpr char kSystemImage[] = "system.image";

std::optional<specs::Lock> ReadLock(const std::string& file) {
  std::error_code error;
  if (!std::filesystem::exists(file, error)) return std::nullopt;
  return specs::ParseLock(layers::ReadFile(file, 256u << 20), file);
}

// Without what this machine or this run lays over it.
specs::LoadedSpec LoadCommitted(const SpecOptions& options, const specs::LoadedSpec& loaded,
                                const Session& session) {
  if (!loaded.sources.IsLocal()) return loaded;
  const SpecOptions plain{.files = options.files,
                          .settings = {},
                          .platforms = {},
                          .no_local = true,
                          .local_files = LocalFiles::kIgnored};
  return session.Load(plain, loaded.sources.file);
}

// The committed lock, unless what lies over the spec changes its inputs.
std::string LockFileFor(const specs::LoadedSpec& committed, const specs::LoadedSpec& loaded) {
  const std::string& file = loaded.sources.file;
  return specs::ResolutionInputs(committed.spec) == specs::ResolutionInputs(loaded.spec)
             ? specs::LockPath(file)
             : specs::LocalLockPath(file);
}

// Those that the spec names. None where it leaves them to the host that it is built on.
std::vector<specs::Platform> OwnPlatforms(const specs::LoadedSpec& committed) {
  if (!committed.sources.positions.contains("image.platforms")) return {};
  return committed.spec.image.platforms;
}

// The image of an earlier lock, which stays as long as the spec names it and nobody wants another.
std::optional<specs::LockedBase> KeptBase(const std::optional<specs::Lock>& previous,
                                          const specs::LoadedSpec& loaded,
                                          const LockOptions& options) {
  if (!previous || !previous->base || options.upgrade_all ||
      options.upgrades.contains(kSystemImage)) {
    return std::nullopt;
  }
  const std::string image =
      specs::CanonicalBaseImage(*loaded.spec.system.image, loaded.sources.folder);
  return previous->base->image == image ? previous->base : std::nullopt;
}

// As the lock spells it. Throws Error (kUsage) for a name that it does not have.
std::string LockedName(const std::string& name, const specs::Lock& lock) {
  std::vector<std::string> known = {kSystemImage};
  for (const specs::LockedPlatform& platform : lock.platforms) {
    for (const specs::LockedPackage& package : platform.packages) known.push_back(package.name);
  }
  for (const std::string& spelling : {name, specs::NormalizeName(name)}) {
    if (std::ranges::find(known, spelling) != known.end()) return spelling;
  }
  std::ranges::sort(known);
  known.erase(std::unique(known.begin(), known.end()), known.end());
  throw specs::Error(specs::ErrorKind::kUsage,
                     fmt::format("--upgrade {}: the lock has no such package", name))
      .Hint(specs::DidYouMean(name, known));
}

// A local wheel of the spec that is another file by now than the one that was locked, which neither
// the spec nor the wheel's name may tell; nullopt where all are as they were.
std::optional<specs::Error> ChangedWheel(const specs::Lock& lock, const specs::Spec& spec) {
  for (const auto& [name, path] : specs::LocalWheels(spec)) {
    const specs::Sha256 found = layers::HashFile(path);
    for (const specs::LockedPlatform& platform : lock.platforms) {
      for (const specs::LockedPackage& package : platform.packages) {
        if (package.source != specs::kLocalSource || package.file != name) continue;
        if (package.sha256 == found) continue;
        return specs::Error(fmt::format("{} is not the file that was locked", path))
            .Found("SHA-256 " + found.Hex())
            .Expected("SHA-256 " + package.sha256.Hex());
      }
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<specs::Lock> LockAtHand(Session& session, const SpecOptions& spec_options,
                                      const specs::LoadedSpec& loaded) {
  const specs::LoadedSpec committed = LoadCommitted(spec_options, loaded, session);
  std::optional<specs::Lock> lock = ReadLock(LockFileFor(committed, loaded));
  return lock && LockMatches(*lock, loaded.spec) ? std::move(lock) : std::nullopt;
}

FoundLock FindOrMakeLock(Session& session, const SpecOptions& spec_options,
                         const specs::LoadedSpec& loaded, const LockOptions& options) {
  const specs::LoadedSpec committed = LoadCommitted(spec_options, loaded, session);
  const std::string file = LockFileFor(committed, loaded);
  std::optional<specs::Lock> previous = ReadLock(file);
  const bool matches = previous && LockMatches(*previous, loaded.spec);
  std::optional<specs::Error> changed;
  if (matches) changed = ChangedWheel(*previous, loaded.spec);
  if (matches && !changed && !options.relock) return {.lock = std::move(*previous), .file = file};
  if (options.locked) {
    if (changed) throw std::move(*changed).Hint("run: " + specs::LockCommand(loaded.sources.file));
    throw specs::Error(previous ? fmt::format("{} is not the lock of this spec any more", file)
                                : fmt::format("there is no {}", file))
        .Hint(fmt::format("run: imgbuild lock {}", loaded.sources.file));
  }
  RequireKeyring(loaded);
  if (!previous && file != specs::LockPath(loaded.sources.file)) {
    previous = ReadLock(specs::LockPath(loaded.sources.file));  // its versions are kept
  }
  std::set<std::string> upgrades;
  for (const std::string& name : options.upgrades) {
    upgrades.insert(previous ? LockedName(name, *previous) : name);
  }
  specs::WithContext(fmt::format("for {}, which is to be written", file),
                     [&] { RequireWritableFolder(std::filesystem::path(file).parent_path()); });
  std::unique_ptr<OpenedBase> base;
  if (loaded.spec.system.image) {
    base = std::make_unique<OpenedBase>(session, loaded.spec, KeptBase(previous, loaded, options),
                                        options.base_bytes, options.registry);
  }
  const std::unique_ptr<Repository> repository = session.OpenRepository(loaded.spec);
  const LockRequest request{.loaded = loaded,
                            .previous = previous ? &*previous : nullptr,
                            .own_platforms = OwnPlatforms(committed),
                            .keep_platforms = !options.relock || !spec_options.platforms.empty(),
                            .upgrade_all = options.upgrade_all,
                            .upgrades = std::move(upgrades),
                            .packer = kVersion};
  FoundLock made{
      .lock = MakeLock(request, {.http = session.http(),
                                 .repository = *repository,
                                 .indexes = session.Indexes(loaded.spec),
                                 .python_cache = session.store().IndexDirectory("python"),
                                 .connectivity = session.connectivity(),
                                 .now = session.now(),
                                 .progress = session.progress(),
                                 .base = base.get()}),
      .file = file,
      .resolved = true};
  layers::WriteFileAtomically(file, specs::RenderLock(made.lock));
  return made;
}

}  // namespace imgbuild::builder
