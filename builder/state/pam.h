// PAM's common files (pam-auth-update(8)): the profiles of all packages that are on by default.
#pragma once

#include "builder/state/package_view.h"
#include "builder/state/state_files.h"

namespace imgbuild::builder {

// etc/pam.d/common-* and var/lib/pam/*. Does nothing without libpam-runtime.
void AddPam(const PackageView& view, StateFiles& files);

}  // namespace imgbuild::builder
