#include "builder/resolve/term.h"

namespace imgbuild::builder {

Term Term::Intersect(const Term& other) const {
  if (positive() && other.positive()) return Positive(versions.Intersect(other.versions));
  if (!positive() && !other.positive()) return Negative(versions.Union(other.versions));
  const Term& yes = positive() ? *this : other;
  const Term& no = positive() ? other : *this;
  if (yes.versions.IsDisjointFrom(no.versions)) return yes;
  return Positive(yes.versions.Intersect(no.versions.Complement()));
}

Term Term::Union(const Term& other) const { return Negate().Intersect(other.Negate()).Negate(); }

bool Term::Implies(const Term& other) const {
  if (positive()) {
    return other.positive() ? versions.IsSubsetOf(other.versions)
                            : versions.IsDisjointFrom(other.versions);
  }
  // A negative term also holds where the package is not chosen at all.
  return !other.positive() && other.versions.IsSubsetOf(versions);
}

bool Term::IsDisjointFrom(const Term& other) const {
  if (positive() && other.positive()) return versions.IsDisjointFrom(other.versions);
  if (positive()) return versions.IsSubsetOf(other.versions);
  if (other.positive()) return other.versions.IsSubsetOf(versions);
  return false;
}

}  // namespace imgbuild::builder
