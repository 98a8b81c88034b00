// Which Debian packages a set of packages needs: the choice apt-get would make from an empty system
// without Recommends, and an explanation where there is none (Debian Policy 7).
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "builder/debian/closure.h"
#include "builder/debian/package_index.h"

namespace imgbuild::builder {

struct DebianSolveOptions {
  // Name -> versions chosen earlier or for another platform, best first: the first that exists and
  // fits is taken before a newer one.
  std::map<std::string, std::vector<std::string>> preferences;
  // Names of an earlier lock: preferred where there is a choice among alternatives.
  std::set<std::string> known;
  // Names that count as installed although they are not: a relation with one of them among its
  // alternatives is met. Roots are taken all the same.
  std::set<std::string, std::less<>> assumed;
};

// `roots` are package names, or "name=version". The rules, in this order:
//   - the newest version over all sources, as apt's equal pin priorities have it;
//   - alternatives and virtual packages are decided when nothing else is open, and then one that is
//     chosen already wins; otherwise the first alternative, a package of that name before one that
//     provides it, among providers the one with the higher Priority;
//   - Conflicts and Breaks hold, except of a provider against what it provides itself.
// Throws Error (kUnresolvable): unknown roots with near names, all of them at once; an explanation
// in sentences where they do not go together.
Closure SolveDebian(const PackageIndex& index, const std::vector<std::string>& roots,
                    const DebianSolveOptions& options = {});

}  // namespace imgbuild::builder
