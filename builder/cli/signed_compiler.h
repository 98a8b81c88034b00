// Whether the Python of a lock is the Debian archive's.
#pragma once

#include "builder/cli/session.h"
#include "specs/env/lock.h"
#include "specs/env/spec.h"

namespace imgbuild::builder {

// Whether every package is in the suite's package lists, of now or in the snapshot archive of when
// it was locked. They have to be signed by keys that the user's configuration names or that this
// machine has: those of the spec vouch for nothing, since they come with the repository that the
// lock comes with. Any mirror will do for the lists. What was found so once is remembered in the
// cache, since the archive drops packages that it replaces. Not known (offline, no keys, replaced)
// is no.
bool IsSignedCompiler(Session& session, const specs::Spec& spec, const specs::Lock& lock,
                      const specs::LockedCompiler& compiler);

}  // namespace imgbuild::builder
