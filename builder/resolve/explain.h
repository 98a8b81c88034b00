// Turns a derivation into sentences, as pub and uv do: "Because a 1.0 depends on b <2 and …".
#pragma once

#include <string>

#include "builder/resolve/derivation.h"

namespace imgbuild::builder {

// How packages are called in explanations. Everything but Describe has a default.
class Namer {
 public:
  virtual ~Namer() = default;

  // A noun phrase: "numpy>=2", "every version of numpy" where the set is all there is, "numpy 1.0".
  virtual std::string Describe(PackageId package, const VersionSet& versions) const = 0;
  // The package alone, as in "a depends on numpy": where any version would do.
  virtual std::string Name(PackageId package) const = 0;
  // Who asks, in "your requirements": the root.
  virtual std::string RootPhrase() const { return "your requirements"; }
  // A whole clause for a fact, or "" for the usual one:
  //   "a 1.0 depends on b>=2", "your requirements need b>=2", "a 1.0 conflicts with b<3",
  //   "there is no version of b>=2", "b 2.0 needs Python >=3.12".
  virtual std::string NeedClause(const NeedFact&) const { return ""; }
  virtual std::string ExcludeClause(const ExcludeFact&) const { return ""; }
  virtual std::string NoVersionClause(const NoVersionFact&) const { return ""; }
};

// Lines of sentences, the last of them the conclusion that nothing fits. A step that is used twice
// has a number, "(1)", that later lines refer to. Never empty.
std::string Explain(const Derivation& derivation, const Namer& namer);

}  // namespace imgbuild::builder
