// All packages' scripts together: what they call is made, what they do besides has to be known.
#pragma once

#include "builder/state/accounts.h"
#include "builder/state/alternatives.h"
#include "builder/state/package_view.h"

namespace imgbuild::builder {

// Adds the alternatives of literal calls and the accounts of usr/lib/sysusers.d where a script
// makes them. Throws one Error for all scripts that are not understood, naming each package and
// script with the first lines in question.
void ReadScripts(const PackageView& view, Accounts& accounts, Alternatives& alternatives);

}  // namespace imgbuild::builder
