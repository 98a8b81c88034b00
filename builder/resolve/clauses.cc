#include "builder/resolve/clauses.h"

#include <fmt/format.h>

namespace imgbuild::builder {
namespace {

// "x depends on y", "your requirements need y".
std::string NeedWords(std::string_view dependent, bool plural, std::string_view needed) {
  return fmt::format("{} {} {}", dependent, plural ? "need" : "depends on", needed);
}

}  // namespace

std::string JoinWords(const std::vector<std::string>& words, std::string_view last) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) text += i + 1 == words.size() ? fmt::format(" {} ", last) : ", ";
    text += words[i];
  }
  return text;
}

std::string Capitalised(std::string text) {
  if (!text.empty() && text[0] >= 'a' && text[0] <= 'z') text[0] = static_cast<char>(text[0] - 32);
  return text;
}

std::string Clauses::Describe(const Need& need) const {
  return need.versions.empty() ? namer_.Name(need.package)
                               : namer_.Describe(need.package, need.versions);
}

std::string Clauses::Subject(const Need& need) const {
  return need.package == root_ ? namer_.RootPhrase() : Describe(need);
}

std::string Clauses::NeedText(const NeedFact& fact) const {
  std::string own = namer_.NeedClause(fact);
  if (!own.empty()) return own;
  std::string text =
      NeedWords(Subject(fact.dependent), fact.dependent.package == root_, Describe(fact.needed));
  if (fact.needed.versions.empty()) text += ", of which no version fits";
  return text;
}

std::string Clauses::Fact(const DerivationStep& step) const {
  struct Visitor {
    const Clauses& clauses;

    std::string operator()(const RootFact&) const {
      return fmt::format("{} have to be met", clauses.namer_.RootPhrase());
    }
    std::string operator()(const NoVersionFact& fact) const {
      std::string own = clauses.namer_.NoVersionClause(fact);
      if (!own.empty()) return own;
      std::string what = clauses.Describe(fact.without);
      return fact.because.empty() ? fmt::format("there is no version of {}", what)
                                  : fmt::format("{} {}", what, fact.because);
    }
    std::string operator()(const UnavailableFact& fact) const {
      return fmt::format("{} {}", clauses.Describe(fact.which), fact.because);
    }
    std::string operator()(const NeedFact& fact) const { return clauses.NeedText(fact); }
    std::string operator()(const ExcludeFact& fact) const {
      std::string own = clauses.namer_.ExcludeClause(fact);
      if (!own.empty()) return own;
      return fmt::format("{} {} with {}", clauses.Subject(fact.dependent),
                         fact.dependent.package == clauses.root_ ? "conflict" : "conflicts",
                         clauses.Describe(fact.excluded));
    }
    std::string operator()(const Derived&) const { return ""; }
  };
  return std::visit(Visitor{*this}, step.reason);
}

std::string Clauses::Both(const DerivationStep& a, const DerivationStep& b) const {
  const auto* first = std::get_if<NeedFact>(&a.reason);
  const auto* second = std::get_if<NeedFact>(&b.reason);
  bool same = first != nullptr && second != nullptr && first->dependent == second->dependent &&
              !first->needed.versions.empty() && !second->needed.versions.empty() &&
              namer_.NeedClause(*first).empty() && namer_.NeedClause(*second).empty();
  if (same) return fmt::format("{} and {}", NeedText(*first), Describe(second->needed));
  // What the reader wrote comes first.
  bool swap = second != nullptr && second->dependent.package == root_ &&
              (first == nullptr || first->dependent.package != root_);
  return fmt::format("{} and {}", Fact(swap ? b : a), Fact(swap ? a : b));
}

std::string Clauses::Conclusion(const std::vector<PackageTerm>& terms) const {
  std::vector<std::string> chosen;
  std::vector<std::string> needed;
  for (const PackageTerm& term : terms) {
    if (term.package == root_) continue;
    Need need{term.package, term.term.versions};
    (term.term.positive() ? chosen : needed).push_back(Describe(need));
  }
  std::string needs = JoinWords(needed, "or");
  if (chosen.empty()) {
    if (needed.empty()) return fmt::format("{} cannot be satisfied", namer_.RootPhrase());
    return NeedWords(namer_.RootPhrase(), true, needs);
  }
  std::string all = JoinWords(chosen, "and");
  if (needed.empty()) {
    return chosen.size() == 1 ? fmt::format("{} cannot be used", all)
                              : fmt::format("{} are incompatible", all);
  }
  if (chosen.size() == 1) return NeedWords(all, false, needs);
  return fmt::format("{} together need {}", all, needs);
}

}  // namespace imgbuild::builder
