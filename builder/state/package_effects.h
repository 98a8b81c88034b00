// What the scripts of single packages leave behind, beyond the base system: one small function a
// package, and the warnings for those that would run a program of their own.
#pragma once

#include <vector>

#include "builder/state/accounts.h"
#include "builder/state/alternatives.h"
#include "builder/state/dpkg_database.h"
#include "builder/state/package_view.h"
#include "builder/state/state.h"
#include "builder/state/state_files.h"

namespace imgbuild::builder {

void AddPackageEffects(const StateInput& input, const PackageView& view, Accounts& accounts,
                       Alternatives& alternatives, StateFiles& files);

// The diversions (dpkg-divert(1)) that scripts add on a fresh installation.
std::vector<Diversion> DiversionsOf(const StateInput& input, const PackageView& view);

}  // namespace imgbuild::builder
