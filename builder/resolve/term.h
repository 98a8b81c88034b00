// Statements about one package: "chosen, at one of these versions" and its negation.
#pragma once

#include <cstdint>

#include "builder/resolve/provider.h"
#include "builder/resolve/version_set.h"

namespace imgbuild::builder {

// A positive term holds where the package is chosen at one of the versions; a negative one where it
// is not chosen, or at another version.
struct Term {
  enum class Sign : std::uint8_t { kPositive, kNegative };

  Sign sign = Sign::kNegative;
  VersionSet versions;

  static Term Positive(VersionSet versions) { return {Sign::kPositive, std::move(versions)}; }
  static Term Negative(VersionSet versions) { return {Sign::kNegative, std::move(versions)}; }
  // Holds always.
  static Term Any() { return {}; }

  bool positive() const { return sign == Sign::kPositive; }
  bool IsAny() const { return !positive() && versions.empty(); }
  // Holds never.
  bool IsImpossible() const { return positive() && versions.empty(); }

  Term Negate() const { return {positive() ? Sign::kNegative : Sign::kPositive, versions}; }
  Term Intersect(const Term& other) const;
  Term Union(const Term& other) const;
  // Whether each state in which this holds is one in which `other` holds.
  bool Implies(const Term& other) const;
  bool IsDisjointFrom(const Term& other) const;

  bool operator==(const Term&) const = default;
};

struct PackageTerm {
  PackageId package = 0;
  Term term;

  bool operator==(const PackageTerm&) const = default;
};

}  // namespace imgbuild::builder
