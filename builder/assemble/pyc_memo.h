// What was compiled in this run, for packages that have the same sources: numpy for amd64 and for
// arm64 are two wheels with mostly the same modules.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "layers/io/atomic_file.h"
#include "layers/store/store.h"
#include "layers/unpack/pyc_compiler.h"
#include "specs/base/digest.h"

namespace imgbuild::builder {

// Results of one compiler, in a temporary file of the store's that goes with it. Thread-safe.
class PycMemo {
 public:
  // Borrows the store.
  explicit PycMemo(layers::Store& store) : file_(store.NewFile()) {}

  struct Result {
    std::optional<std::string> bytes;  // nullopt: it does not compile
  };
  std::optional<Result> Find(const layers::PycSource& source);
  void Keep(const layers::PycSource& source, const std::optional<std::string>& bytes);

 private:
  struct Place {
    std::uint64_t offset = 0;
    std::uint64_t size = 0;  // 0: it does not compile
  };

  std::mutex mutex_;
  std::unique_ptr<layers::AtomicFile> file_;
  std::uint64_t size_ = 0;
  std::uint64_t flushed_ = 0;
  std::unordered_map<specs::Sha256, Place> places_;
};

// Asks the memo first, then the compiler, and keeps what that says.
class MemoCompiler : public layers::PycCompiler {
 public:
  // Borrows both.
  MemoCompiler(PycMemo& memo, layers::PycCompiler& compiler) : memo_(memo), compiler_(compiler) {}

  std::vector<std::optional<std::string>> Compile(
      std::span<const layers::PycSource> sources) override;

 private:
  PycMemo& memo_;
  layers::PycCompiler& compiler_;
};

}  // namespace imgbuild::builder
