#include "builder/assemble/compiler_tree.h"

#include <future>
#include <mutex>

#include <fmt/core.h>

#include "layers/unpack/extract.h"
#include "specs/base/error.h"
#include "specs/base/key.h"

namespace imgbuild::builder {
namespace {

namespace fs = std::filesystem;

// All at once, then wait.
std::vector<fs::path> FetchAll(const std::vector<specs::LockedPackage>& packages,
                               Fetcher& fetcher) {
  std::vector<const specs::LockedPackage*> wanted;
  for (const specs::LockedPackage& package : packages) wanted.push_back(&package);
  const auto missing = fetcher.Missing(wanted);
  if (!missing.empty()) {
    std::mutex mutex;
    std::promise<void> promise;
    std::size_t left = missing.size();
    fetcher.Fetch(missing, [&](const specs::LockedPackage&, Fetcher::Result) {
      std::lock_guard lock(mutex);
      if (--left == 0) promise.set_value();
    });
    promise.get_future().wait();
    std::lock_guard lock(mutex);  // the last callback has left
  }
  std::vector<fs::path> paths;
  // Fetches again what failed, and so reports why.
  for (const specs::LockedPackage* package : wanted) paths.push_back(fetcher.FetchNow(*package));
  return paths;
}

}  // namespace

const specs::LockedCompiler& HostCompiler(const specs::Lock& lock) {
  const specs::Platform host = specs::HostPlatform();
  for (const specs::LockedCompiler& compiler : lock.compilers) {
    if (compiler.host == host) return compiler;
  }
  throw specs::Error(fmt::format("the lock has no Python for this host, {}", host.Render()))
      .Hint("lock again: imgbuild lock");
}

std::string CompilerId(const specs::LockedCompiler& compiler, std::string_view python) {
  const std::string name = fmt::format("python{}-minimal", python);
  for (const specs::LockedPackage& package : compiler.packages) {
    if (package.name == name) return fmt::format("{} {}={}", kPycVersion, name, package.version);
  }
  throw specs::Error(fmt::format("the lock's compiler lacks {}", name))
      .Hint("lock again: imgbuild lock");
}

PythonTree FindCompilerTree(const specs::LockedCompiler& compiler, const specs::Spec& spec,
                            Fetcher& fetcher, layers::Store& store) {
  specs::KeyBuilder builder("compiler-tree/1");
  builder.Add("unpack", layers::kDebVersion);
  for (const specs::LockedPackage& package : compiler.packages) {
    builder.Add(package.name, package.sha256);
  }
  const specs::Sha256 key = builder.Finish();
  PythonTree tree{
      .root = {}, .version = spec.python.version, .architecture = compiler.host.architecture};
  const layers::EntryLock lock = store.Lock("tree", key);
  if (auto found = store.FindTree(key)) {
    tree.root = *found;
    return tree;
  }
  const fs::path directory = store.NewDirectory();
  const std::vector<fs::path> archives = FetchAll(compiler.packages, fetcher);
  for (std::size_t i = 0; i < archives.size(); ++i) {
    layers::ExtractDeb(archives[i],
                       {.sha256 = compiler.packages[i].sha256,
                        .suite = spec.system.suite,
                        .filter = layers::PathFilter::kSlim,
                        .pyc = {},
                        .scratch = store.paths().Temporary()},
                       directory);
  }
  tree.root = store.PutTree(key, directory);
  return tree;
}

}  // namespace imgbuild::builder
