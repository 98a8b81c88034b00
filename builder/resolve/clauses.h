// The clauses that explanations are made of: "a 1.0 depends on b>=2", "b>=2 cannot be used".
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "builder/resolve/derivation.h"
#include "builder/resolve/explain.h"

namespace imgbuild::builder {

class Clauses {
 public:
  // Borrows the namer.
  Clauses(const Namer& namer, PackageId root) : namer_(namer), root_(root) {}

  // REQUIRES: the step is a fact.
  std::string Fact(const DerivationStep& step) const;
  // Two facts with "and" between them; "a depends on b and c" where both are needs of one.
  std::string Both(const DerivationStep& a, const DerivationStep& b) const;
  // What follows from "not all of these": no terms mean that nothing can be done.
  std::string Conclusion(const std::vector<PackageTerm>& terms) const;

 private:
  std::string Describe(const Need& need) const;
  std::string NeedText(const NeedFact& fact) const;
  std::string Subject(const Need& need) const;

  const Namer& namer_;
  PackageId root_;
};

// "a, b and c" for the word "and".
std::string JoinWords(const std::vector<std::string>& words, std::string_view last);
std::string Capitalised(std::string text);

}  // namespace imgbuild::builder
