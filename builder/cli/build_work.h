// A build with everything that a session has for it.
#pragma once

#include "builder/assemble/build_image.h"
#include "builder/cli/locator.h"
#include "builder/cli/session.h"
#include "builder/cli/signed_compiler.h"
#include "specs/env/cuda.h"

namespace imgbuild::builder {

// What one build is given. `shared` may be null, and `base` where the spec builds on no image.
struct BuildWork {
  layers::Store& store;
  Session& session;
  const specs::LoadedSpec& loaded;
  const specs::Lock& lock;
  layers::Compression compression;
  LayerListener listener = {};
  SharedCache* shared = nullptr;
  BaseImages* base = nullptr;
};

// Calls action(request, context), with all that is only there for that.
template <typename Action>
auto WithBuildContext(const BuildWork& work, Action&& action) {
  Session& session = work.session;
  const std::string& spec_file = work.loaded.sources.file;
  MirrorLocator locator(session, work.loaded.spec, work.lock, spec_file);
  Fetcher fetcher(
      work.store, [&]() -> HttpClient& { return session.http(); },
      [&]() -> ArchiveLocator& { return locator; }, session.progress(),
      {.network = session.options().offline ? NetworkPolicy::kForbidden : NetworkPolicy::kAllowed,
       .spec_file = spec_file,
       .local_wheels = specs::LocalWheels(work.loaded.spec),
       .shared = work.shared});
  CompilerTrust compiler_trust([&](const specs::LockedCompiler& compiler) {
    return IsSignedCompiler(session, work.loaded.spec, work.lock, compiler);
  });
  const BuildRequest request{
      .loaded = work.loaded, .lock = work.lock, .compression = work.compression};
  return action(request, BuildContext{.store = work.store,
                                      .executor = session.executor(),
                                      .fetcher = fetcher,
                                      .progress = session.progress(),
                                      .compiler_trust = compiler_trust,
                                      .layer_listener = work.listener,
                                      .shared = work.shared,
                                      .base = work.base});
}

// Whichever way the image came, but not where it was here before. No -q keeps it back.
inline void TellOfCudaLicence(Session& session, const specs::Spec& spec, const BuiltImage& built) {
  const std::string licence = specs::CudaLicence(spec);
  if (!licence.empty() && !built.unchanged) session.progress().Warning(licence);
}

}  // namespace imgbuild::builder
