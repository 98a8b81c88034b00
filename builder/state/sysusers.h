// sysusers.d(5): users and groups that a package declares.
#pragma once

#include "builder/state/accounts.h"
#include "layers/tree/facts.h"

namespace imgbuild::builder {

// The lines "u" and "g" of the package's own usr/lib/sysusers.d files; fixed ids are not kept, so
// that they stay deterministic across images. "m" and "r" lines are passed over.
void AddSysusers(const layers::PackageFacts& package, Accounts& accounts);

}  // namespace imgbuild::builder
