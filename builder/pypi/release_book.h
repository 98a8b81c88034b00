// What indexes offer of a project, beside any resolution: for specs that name a release by what it
// offers, and for messages that say what there is instead.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "builder/pypi/catalog.h"
#include "builder/pypi/resolver.h"
#include "specs/python/specifier.h"

namespace imgbuild::builder {

class ReleaseBook {
 public:
  // Borrows `input` and what `context` borrows: its target, date cut and pre-releases decide which
  // releases there are.
  ReleaseBook(const ResolveInput& input, ResolveContext context);
  ~ReleaseBook();
  ReleaseBook(const ReleaseBook&) = delete;

  // Versions with a usable file, oldest first, as their files write them; final ones only, unless
  // pre-releases are allowed. Empty where no index has the project. Throws Error where an index
  // fails.
  std::vector<std::string> Versions(const std::string& project);
  // The newest of them in the range; "" where there is none.
  std::string Newest(const std::string& project, const specs::SpecifierSet& range);
  // The extras (normalised) that each of these releases offers: version -> extras. Throws Error
  // where metadata cannot be had. REQUIRES: `versions` are of Versions(project).
  std::map<std::string, std::vector<std::string>> Extras(const std::string& project,
                                                         const std::vector<std::string>& versions);
  // What one release requires for the target where it is asked for with these extras (normalised),
  // extras that name others of its own included. Throws as Extras. REQUIRES: as there.
  std::vector<Dependency> Dependencies(const std::string& project, const std::string& version,
                                       const std::set<std::string>& extras);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace imgbuild::builder
