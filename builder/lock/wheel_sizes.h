// Sizes of wheels from indexes that do not say them: layers are split by size.
#pragma once

#include <vector>

#include "builder/lock/make_lock.h"
#include "builder/pypi/resolver.h"
#include "specs/env/lock.h"

namespace imgbuild::builder {

// Fills in the sizes that are 0: from `previous`, which may be null, for the same file, else by
// asking the servers that have the files, all at once. What they do not tell stays 0.
void FindSizes(const Resolution& resolution, const specs::Lock* previous, LockContext& context,
               std::vector<specs::LockedPackage>& wheels);

// What a request for the package's file carries.
std::vector<HttpHeader> FileHeaders(const ResolvedPackage& package, const LockContext& context);

}  // namespace imgbuild::builder
