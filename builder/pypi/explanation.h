// Why Python requirements cannot be satisfied: the solver's derivation in Python's own words, with
// hints on what to do.
#pragma once

#include "builder/pypi/python_provider.h"
#include "builder/resolve/derivation.h"
#include "builder/resolve/explain.h"
#include "specs/base/error.h"

namespace imgbuild::builder {

// "numpy>=2", "every version of numpy", "numpy 1.0", "uvicorn[standard] 0.30".
class PythonNamer : public Namer {
 public:
  // Borrows `provider`.
  explicit PythonNamer(const PythonProvider& provider) : provider_(provider) {}

  std::string Describe(PackageId package, const VersionSet& versions) const override;
  std::string Name(PackageId package) const override;
  std::string NeedClause(const NeedFact& fact) const override;

 private:
  const Dependency* Agreed(const NeedFact& fact, std::vector<Dependency>& scratch) const;

  const PythonProvider& provider_;
};

// An Error of kind kUnresolvable.
specs::Error UnresolvableError(const Derivation& derivation, const PythonProvider& provider,
                               const ResolveInput& input);

}  // namespace imgbuild::builder
