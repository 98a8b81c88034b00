// Incompatibilities: sets of terms that hold together in no solution, and where they come from.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "builder/resolve/derivation.h"
#include "builder/resolve/term.h"

namespace imgbuild::builder {

using IncompatibilityId = std::uint32_t;

struct Incompatibility {
  enum class Kind : std::uint8_t { kRoot, kNoVersion, kUnavailable, kNeed, kExclude, kDerived };

  std::vector<PackageTerm> terms;  // ordered by package, one each, none of them Any
  Kind kind = Kind::kDerived;
  // kNeed, kExclude: dependent and other package. kDerived: the two causes. Else: package.
  std::uint32_t first = 0;
  std::uint32_t second = 0;
  std::string because;

  // Null where the package has no term here.
  const Term* TermOf(PackageId package) const;
};

// Keeps every incompatibility of one run; ids grow with time, causes come before what they cause.
class IncompatibilityStore {
 public:
  IncompatibilityId Root(PackageId root, Position version);
  IncompatibilityId NoVersions(PackageId package, VersionSet allowed, std::string because);
  IncompatibilityId Unavailable(PackageId package, VersionSet versions, std::string because);
  // The versions of `dependent` need `needed`.
  IncompatibilityId NeedOf(const Need& dependent, const Need& needed);
  IncompatibilityId ExcludeOf(const Need& dependent, const Need& excluded);
  // What follows from both by cancelling out `package`.
  IncompatibilityId Resolve(IncompatibilityId a, IncompatibilityId b, PackageId package);

  const Incompatibility& operator[](IncompatibilityId id) const { return all_[id]; }
  std::size_t size() const { return all_.size(); }

  // The steps that lead to `conclusion`.
  Derivation Derive(PackageId root, IncompatibilityId conclusion) const;

 private:
  IncompatibilityId Add(Incompatibility incompatibility);

  std::vector<Incompatibility> all_;
};

}  // namespace imgbuild::builder
