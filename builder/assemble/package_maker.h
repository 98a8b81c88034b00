// From an archive to facts and a frame: one package, made once and then found in the store.
#pragma once

#include <filesystem>
#include <string>

#include "layers/io/executor.h"
#include "layers/store/store.h"
#include "layers/tree/facts.h"
#include "layers/unpack/pyc_compiler.h"
#include "layers/unpack/wheel.h"
#include "layers/write/compress.h"
#include "layers/write/frame.h"
#include "specs/env/lock.h"
#include "specs/env/spec.h"

namespace imgbuild::builder {

// Versions the step itself, beside those of unpacking, compiling and writing.
inline constexpr std::string_view kPackageVersion = "package/4";

struct ReadyPackage {
  const specs::LockedPackage* locked = nullptr;
  layers::PackageFacts facts;
  layers::FrameRecord frame;
  std::filesystem::path frame_path;  // "" for an empty frame
  bool made = false;                 // in this run
  // The layer that the frame's file is as it stands, where that was just made.
  std::optional<layers::FramedLayer> layer;
};

struct PackageMakerOptions {
  specs::Suite suite = specs::Suite::kBookworm;
  std::string python;       // "3.11"
  std::string compiler_id;  // what the bytes of .pyc depend on: Debian's version of Python
  specs::Compile compile = specs::Compile::kDefault;
};

class PackageMaker {
 public:
  // Borrows everything for its life. `compiler` may be null where compile is kNone.
  PackageMaker(layers::Store& store, const layers::Codec& codec, layers::Executor& executor,
               layers::PycCompiler* compiler, PackageMakerOptions options)
      : store_(store),
        codec_(codec),
        executor_(executor),
        compiler_(compiler),
        options_(std::move(options)) {}

  // What frames are compressed by.
  const std::string& codec() const { return codec_.id(); }

  // Everything that decides the package's facts and frame.
  specs::Sha256 Key(const specs::LockedPackage& package) const;

  // Nullopt where it has to be made.
  std::optional<ReadyPackage> Find(const specs::LockedPackage& package) const;

  // What another machine made of the package, as layers::RenderPackage wrote it: the store knows it
  // then, and its frame may follow. Nullopt where `record` is none, or of another codec.
  std::optional<ReadyPackage> Adopt(const specs::LockedPackage& package, std::string_view record);

  // Unpacks `archive` and publishes the result, unless another build did meanwhile. Thread-safe.
  ReadyPackage Make(const specs::LockedPackage& package, const std::filesystem::path& archive);

 private:
  layers::PycOptions Pyc() const;

  layers::Store& store_;
  const layers::Codec& codec_;
  layers::Executor& executor_;
  layers::PycCompiler* compiler_;
  const PackageMakerOptions options_;
};

}  // namespace imgbuild::builder
