// The Python that compiles .pyc files on this host, from the packages that the lock names for it.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <string_view>

#include "builder/assemble/fetcher.h"
#include "builder/assemble/pyc_worker.h"
#include "layers/store/store.h"
#include "specs/env/lock.h"
#include "specs/env/spec.h"

namespace imgbuild::builder {

// Who vouches for the Python that a lock names: a lock comes with a repository, and what it names
// is run on this machine. Thread-safe where `is_signed` is.
class CompilerTrust {
 public:
  // `is_signed` is asked when the first source is to be compiled.
  explicit CompilerTrust(std::function<bool(const specs::LockedCompiler&)> is_signed)
      : is_signed_(std::move(is_signed)) {}

  // Throws Error where nobody does, for good: Refused holds from then on, and what is made of the
  // lock is to be made again under other names, by a confined process.
  void Require(const specs::LockedCompiler& compiler);
  bool Refused() const { return refused_; }

 private:
  std::function<bool(const specs::LockedCompiler&)> is_signed_;
  std::atomic<bool> refused_ = false;
};

// The lock's packages for the machine this runs on. Throws Error where it has none.
const specs::LockedCompiler& HostCompiler(const specs::Lock& lock);

// What .pyc bytes depend on: the interpreter's Debian version, the same on every host. Of one that
// nobody vouches for it is the very packages, so that what it makes is found by no other lock.
std::string CompilerId(const specs::LockedCompiler& compiler, std::string_view python,
                       TreeTrust trust);

// The extracted tree, found in the store or made now. REQUIRES: `trust` was found out.
PythonTree FindCompilerTree(const specs::LockedCompiler& compiler, const specs::Spec& spec,
                            TreeTrust trust, Fetcher& fetcher, layers::Store& store);

}  // namespace imgbuild::builder
