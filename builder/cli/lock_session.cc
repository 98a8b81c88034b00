#include "builder/cli/lock_session.h"

#include <filesystem>

#include <fmt/core.h>

#include "builder/cli/base_access.h"
#include "builder/cli/version.h"
#include "builder/cli/writable.h"
#include "builder/lock/make_lock.h"
#include "layers/io/atomic_file.h"
#include "layers/io/file.h"
#include "specs/base/error.h"
#include "specs/env/canonical.h"

namespace imgbuild::builder {
namespace {

std::optional<specs::Lock> ReadLock(const std::string& file) {
  std::error_code error;
  if (!std::filesystem::exists(file, error)) return std::nullopt;
  return specs::ParseLock(layers::ReadFile(file, 256u << 20), file);
}

// The committed lock, unless what lies over the spec changes its inputs.
std::string LockFileFor(const SpecOptions& options, const specs::LoadedSpec& loaded,
                        const Session& session) {
  const std::string& file = loaded.sources.file;
  if (!loaded.sources.IsLocal()) return specs::LockPath(file);
  const SpecOptions plain{
      .files = options.files, .settings = {}, .platforms = {}, .no_local = true};
  const specs::Sha256 committed = specs::ResolutionInputs(session.Load(plain, file).spec);
  return committed == specs::ResolutionInputs(loaded.spec) ? specs::LockPath(file)
                                                           : specs::LocalLockPath(file);
}

// The image of an earlier lock, which stays as long as the spec names it and nobody wants another.
std::optional<specs::LockedBase> KeptBase(const std::optional<specs::Lock>& previous,
                                          const specs::LoadedSpec& loaded,
                                          const LockOptions& options) {
  if (!previous || !previous->base || options.upgrade_all ||
      options.upgrades.contains("system.image")) {
    return std::nullopt;
  }
  const std::string image =
      specs::CanonicalBaseImage(*loaded.spec.system.image, loaded.sources.folder);
  return previous->base->image == image ? previous->base : std::nullopt;
}

}  // namespace

FoundLock FindOrMakeLock(Session& session, const SpecOptions& spec_options,
                         const specs::LoadedSpec& loaded, const LockOptions& options) {
  const std::string file = LockFileFor(spec_options, loaded, session);
  std::optional<specs::Lock> previous = ReadLock(file);
  const bool matches = previous && LockMatches(*previous, loaded.spec);
  if (matches && !options.relock) return {.lock = std::move(*previous), .file = file};
  if (options.locked) {
    throw specs::Error(previous ? fmt::format("{} is not the lock of this spec any more", file)
                                : fmt::format("there is no {}", file))
        .Hint(fmt::format("run: imgbuild lock {}", loaded.sources.file));
  }
  if (!previous && file != specs::LockPath(loaded.sources.file)) {
    previous = ReadLock(specs::LockPath(loaded.sources.file));  // its versions are kept
  }
  specs::WithContext(fmt::format("for {}, which is to be written", file),
                     [&] { RequireWritableFolder(std::filesystem::path(file).parent_path()); });
  std::unique_ptr<OpenedBase> base;
  if (loaded.spec.system.image) {
    base = std::make_unique<OpenedBase>(session, loaded.spec, KeptBase(previous, loaded, options));
  }
  const std::unique_ptr<Repository> repository = session.OpenRepository(loaded.spec);
  const LockRequest request{.loaded = loaded,
                            .previous = previous ? &*previous : nullptr,
                            .keep_platforms = !options.relock || !spec_options.platforms.empty(),
                            .upgrade_all = options.upgrade_all,
                            .upgrades = options.upgrades,
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
