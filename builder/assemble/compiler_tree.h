// The Python that compiles .pyc files on this host, from the packages that the lock names for it.
#pragma once

#include <string>

#include "builder/assemble/fetcher.h"
#include "builder/assemble/pyc_worker.h"
#include "layers/store/store.h"
#include "specs/env/lock.h"
#include "specs/env/spec.h"

namespace imgbuild::builder {

// The lock's packages for the machine this runs on. Throws Error where it has none.
const specs::LockedCompiler& HostCompiler(const specs::Lock& lock);

// What .pyc bytes depend on: the interpreter's Debian version, the same on every host.
std::string CompilerId(const specs::LockedCompiler& compiler, std::string_view python);

// The extracted tree, found in the store or made now.
PythonTree FindCompilerTree(const specs::LockedCompiler& compiler, const specs::Spec& spec,
                            Fetcher& fetcher, layers::Store& store);

}  // namespace imgbuild::builder
