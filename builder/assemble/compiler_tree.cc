#include "builder/assemble/compiler_tree.h"

#include <condition_variable>
#include <mutex>
#include <optional>

#include <fmt/core.h>

#include "builder/assemble/use_archive.h"
#include "layers/unpack/extract.h"
#include "specs/base/error.h"
#include "specs/base/key.h"

namespace imgbuild::builder {
namespace {

namespace fs = std::filesystem;

// All at once, then wait; the first failure stops the others.
void FetchAll(const std::vector<specs::LockedPackage>& packages, Fetcher& fetcher) {
  std::vector<const specs::LockedPackage*> wanted;
  for (const specs::LockedPackage& package : packages) wanted.push_back(&package);
  const auto missing = fetcher.Missing(wanted);
  std::mutex mutex;
  std::condition_variable changed;
  std::size_t left = missing.size();
  std::optional<specs::Error> failure;
  fetcher.Fetch(
      missing,
      [&](const specs::LockedPackage&, Fetcher::Result result) {
        std::lock_guard lock(mutex);
        auto* error = std::get_if<specs::Error>(&result);
        if (error != nullptr && !failure) failure = std::move(*error);
        --left;
        changed.notify_all();
      },
      [&] {
        std::lock_guard lock(mutex);
        return !failure;
      });
  std::unique_lock lock(mutex);
  changed.wait(lock, [&] { return left == 0; });
  if (failure) throw std::move(*failure);
}

// A failure leaves no directory behind.
void ExtractAll(const specs::LockedCompiler& compiler, specs::Suite suite, Fetcher& fetcher,
                layers::Store& store, const fs::path& directory) {
  for (const specs::LockedPackage& package : compiler.packages) {
    const auto extract = [&](const fs::path& archive) {
      layers::ExtractDeb(archive,
                         {.sha256 = package.sha256,
                          .suite = suite,
                          .filter = layers::PathFilter::kSlim,
                          .pyc = {},
                          .scratch = store.paths().Temporary()},
                         directory);
    };
    try {
      UseArchive(package, fetcher, extract);
    } catch (specs::Error& error) {
      std::error_code ignored;
      fs::remove_all(directory, ignored);
      throw std::move(error.In(fmt::format("while unpacking {} {}, which compiles .pyc files",
                                           package.name, package.version)));
    }
  }
}

// Of exactly these packages.
specs::Sha256 TreeKey(const specs::LockedCompiler& compiler) {
  specs::KeyBuilder builder("compiler-tree/1");
  builder.Add("unpack", layers::kDebVersion);
  for (const specs::LockedPackage& package : compiler.packages) {
    builder.Add(package.name, package.sha256);
  }
  return builder.Finish();
}

}  // namespace

void CompilerTrust::Require(const specs::LockedCompiler& compiler) {
  if (!refused_ && is_signed_(compiler)) return;
  refused_ = true;
  throw specs::Error(
      specs::ErrorKind::kVerification,
      "the Python in the lock that compiles .pyc files is in no signed package list");
}

const specs::LockedCompiler& HostCompiler(const specs::Lock& lock) {
  const specs::Platform host = specs::HostPlatform();
  for (const specs::LockedCompiler& compiler : lock.compilers) {
    if (compiler.host == host) return compiler;
  }
  throw specs::Error(fmt::format("the lock has no Python for this host, {}", host.Render()))
      .Hint("lock again: imgbuild lock");
}

std::string CompilerId(const specs::LockedCompiler& compiler, std::string_view python,
                       TreeTrust trust) {
  const std::string name = fmt::format("python{}-minimal", python);
  for (const specs::LockedPackage& package : compiler.packages) {
    if (package.name != name) continue;
    std::string id = fmt::format("{} {}={}", kPycVersion, name, package.version);
    if (trust == TreeTrust::kNone) id += " " + TreeKey(compiler).Hex();
    return id;
  }
  throw specs::Error(fmt::format("the lock's compiler lacks {}", name))
      .Hint("lock again: imgbuild lock");
}

PythonTree FindCompilerTree(const specs::LockedCompiler& compiler, const specs::Spec& spec,
                            TreeTrust trust, Fetcher& fetcher, layers::Store& store) {
  const specs::Sha256 key = TreeKey(compiler);
  PythonTree tree{.root = {},
                  .version = spec.python.version,
                  .architecture = compiler.host.architecture,
                  .trust = trust};
  const layers::EntryLock lock = store.Lock("tree", key);
  // Read again each time it is needed: what it compiles is believed.
  if (auto found = store.FindTree(key); found && store.RecheckTree(key)) {
    tree.root = *found;
    return tree;
  }
  FetchAll(compiler.packages, fetcher);
  const fs::path directory = store.NewDirectory();
  ExtractAll(compiler, spec.system.suite, fetcher, store, directory);
  tree.root = store.PutTree(key, directory);
  return tree;
}

}  // namespace imgbuild::builder
