// One spec on its way from its lock to outputs and registries: what `imgbuild build` does.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "builder/assemble/build_image.h"
#include "builder/cli/base_access.h"
#include "builder/cli/lock_session.h"
#include "builder/cli/outputs.h"
#include "builder/cli/pushes.h"
#include "builder/cli/session.h"
#include "builder/cli/shared_caches.h"
#include "builder/cli/summary.h"

namespace imgbuild::builder {

struct BuildArguments {
  SpecOptions spec;
  LockOptions lock;
  std::vector<std::string> outputs;
  std::vector<std::string> pushes;
  std::vector<std::string> annotations;
  RegistryOptions registry;
  CacheOptions cache;
  std::string compression = "zstd";
  bool check = false;
};

// --compression's value; throws Error (kUsage) for what is none.
layers::Compression RequireCompression(const std::string& name);

class Stopwatch {
 public:
  // Milliseconds since the last call.
  std::uint64_t Lap() {
    const std::chrono::steady_clock::time_point now = std::chrono::steady_clock::now();
    const auto passed = std::chrono::duration_cast<std::chrono::milliseconds>(now - begun_);
    begun_ = now;
    return static_cast<std::uint64_t>(passed.count());
  }

 private:
  std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
};

class Delivery {
 public:
  // Finds out what can be told before the work: outputs that cannot be written, logins that are
  // refused. Borrows everything for its life. Throws Error.
  Delivery(Session& session, const BuildArguments& arguments, const specs::LoadedSpec& loaded);

  // Whether what is to be done with the image takes the bytes of the layers that it builds on.
  layers::LayerBytes base_bytes() const;

  // Builds, checks, writes, pushes and shares, and adds what each took. Once. Throws Error.
  void Run(const specs::Lock& lock, Stopwatch& stopwatch, std::vector<PhaseTime>& phases);

  // What there is to tell of the image. REQUIRES: Run() returned.
  BuildSummary Summary() const;

 private:
  void OpenPushes();
  void Build(const specs::Lock& lock, SharedPlaces* shared);
  void Write();
  bool MustBeMadeAgain();
  void Obtain(const PushBlob& blob);
  LayerListener Pushing(const SharedPlaces* shared);
  void RememberHome(const specs::Sha256& layer, const std::optional<BlobHome>& base,
                    const SharedPlaces* shared);

  Session& session_;
  const BuildArguments& arguments_;
  const specs::LoadedSpec& loaded_;
  const layers::Compression compression_;
  const std::map<std::string, std::string> annotations_;
  const std::vector<PushTarget> targets_;
  const std::vector<Output> outputs_;
  const std::unique_ptr<SharedPlaces> shared_;  // null: none was named
  const std::optional<BlobHome> base_home_;     // where registries may take the base's layers from
  std::unique_ptr<OpenedBase> base_;            // null: the spec builds on no image
  std::unique_ptr<Pushes> pushes_;
  BuiltImage built_;
  layers::ImageSource image_;  // as it goes out
  std::vector<Pushed> pushed_;
  std::vector<ExportResult> exported_;
};

}  // namespace imgbuild::builder
