#include "builder/resolve/explain.h"

#include <map>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "builder/resolve/clauses.h"

namespace imgbuild::builder {
namespace {

// Derivations of hostile inputs can be arbitrarily deep; nobody reads more than this.
constexpr int kDeepest = 400;
constexpr std::size_t kMostLines = 120;

// Walks a derivation as pub does (its solver documentation, "Error reporting"): a line for each
// derived step, with the step before it implied ("And because …") where it follows directly, and by
// number where it does not.
class Explainer {
 public:
  Explainer(const Derivation& derivation, const Namer& namer)
      : steps_(derivation.steps), clauses_(namer, derivation.root) {
    for (std::uint32_t i = 0; i < steps_.size(); ++i) shown_.push_back(Collapse(i));
    CountUses();
  }

  std::string Run() {
    std::uint32_t last = shown_.back();
    if (IsFact(last)) {
      return fmt::format("{}, so {}.", Capitalised(Clause(last)), clauses_.Conclusion({}));
    }
    Visit(last, 0);
    std::string text;
    for (const Line& line : lines_) {
      if (!text.empty()) text += '\n';
      text += line.text;
      if (line.number) text += fmt::format(" ({})", *line.number);
    }
    return text;
  }

 private:
  struct Line {
    std::string text;
    std::optional<int> number;
  };

  const Derived* AsDerived(std::uint32_t step) const {
    return std::get_if<Derived>(&steps_[step].reason);
  }
  bool IsFact(std::uint32_t step) const { return AsDerived(step) == nullptr; }

  // That no further versions lie around those that were ruled out says nothing to people: such a
  // step is replaced by the other one that it follows from, which then speaks of both.
  std::uint32_t Collapse(std::uint32_t step) {
    const Derived* derived = AsDerived(step);
    if (derived == nullptr) return step;
    for (auto [fact, cause] :
         {std::pair(derived->first, derived->second), std::pair(derived->second, derived->first)}) {
      const auto* none = std::get_if<NoVersionFact>(&steps_[fact].reason);
      if (none == nullptr || !none->because.empty()) continue;
      std::uint32_t other = shown_[cause];
      if (!RulesOut(other, none->without.package)) continue;
      if (!IsFact(other)) {
        steps_[other].terms = steps_[step].terms;
        return other;
      }
      auto reason = steps_[other].reason;
      Need* subject = SubjectOf(reason, none->without.package);
      if (subject == nullptr) continue;
      subject->versions = subject->versions.Union(none->without.versions);
      steps_[step].reason = std::move(reason);
      return step;
    }
    return step;
  }

  bool RulesOut(std::uint32_t step, PackageId package) const {
    for (const PackageTerm& term : steps_[step].terms) {
      if (term.package == package) return term.term.positive();
    }
    return false;
  }

  // What a fact says of the package's chosen versions; null where that is nothing.
  static Need* SubjectOf(decltype(DerivationStep::reason)& reason, PackageId package) {
    std::vector<Need*> subjects;
    if (auto* fact = std::get_if<NeedFact>(&reason)) subjects = {&fact->dependent};
    if (auto* fact = std::get_if<UnavailableFact>(&reason)) subjects = {&fact->which};
    if (auto* fact = std::get_if<ExcludeFact>(&reason)) {
      subjects = {&fact->dependent, &fact->excluded};
    }
    for (Need* subject : subjects) {
      if (subject->package == package) return subject;
    }
    return nullptr;
  }

  std::pair<std::uint32_t, std::uint32_t> Causes(std::uint32_t step) const {
    const Derived* derived = AsDerived(step);
    return {shown_[derived->first], shown_[derived->second]};
  }

  void CountUses() {
    uses_.resize(steps_.size());
    std::vector<bool> seen(steps_.size());
    std::vector<std::uint32_t> open = {shown_.back()};
    while (!open.empty()) {
      std::uint32_t step = open.back();
      open.pop_back();
      if (IsFact(step) || seen[step]) continue;
      seen[step] = true;
      auto [a, b] = Causes(step);
      for (std::uint32_t cause : {a, b}) {
        ++uses_[cause];
        open.push_back(cause);
      }
    }
  }

  std::string Clause(std::uint32_t step) const {
    const DerivationStep& at = steps_[step];
    return IsFact(step) ? clauses_.Fact(at) : clauses_.Conclusion(at.terms);
  }
  // "a depends on b (1)" for a step that has a number.
  std::string Numbered(std::uint32_t step) const {
    return fmt::format("{} ({})", Clause(step), numbers_.at(step));
  }
  std::string So(std::uint32_t step) const { return clauses_.Conclusion(steps_[step].terms); }
  void Say(std::string text) { lines_.push_back({std::move(text), std::nullopt}); }

  void NumberLast(std::uint32_t step) {
    if (numbers_.contains(step)) return;
    lines_.back().number = ++numbered_;
    numbers_[step] = numbered_;
  }

  void Visit(std::uint32_t step, int depth) {
    if (depth > kDeepest || lines_.size() > kMostLines) {
      Say(fmt::format("After further steps, {}.", So(step)));
      return;
    }
    auto [a, b] = Causes(step);
    if (IsFact(a) && IsFact(b)) {
      Say(fmt::format("Because {}, {}.", clauses_.Both(steps_[a], steps_[b]), So(step)));
    } else if (IsFact(a)) {
      VisitFactAnd(b, a, step, depth);
    } else if (IsFact(b)) {
      VisitFactAnd(a, b, step, depth);
    } else {
      VisitBoth(a, b, step, depth);
    }
    if (uses_[step] > 1) NumberLast(step);
  }

  void VisitFactAnd(std::uint32_t derived, std::uint32_t fact, std::uint32_t step, int depth) {
    if (numbers_.contains(derived)) {
      Say(fmt::format("Because {} and {}, {}.", Numbered(derived), Clause(fact), So(step)));
      return;
    }
    auto [a, b] = Causes(derived);
    bool one_each = IsFact(a) != IsFact(b);
    std::uint32_t earlier = IsFact(a) ? b : a;
    if (one_each && uses_[derived] < 2 && !numbers_.contains(earlier)) {
      // Two facts in a row follow in one line.
      std::uint32_t prior = IsFact(a) ? a : b;
      Visit(earlier, depth + 1);
      Say(fmt::format("And because {}, {}.", clauses_.Both(steps_[prior], steps_[fact]), So(step)));
      return;
    }
    Visit(derived, depth + 1);
    Say(fmt::format("And because {}, {}.", Clause(fact), So(step)));
  }

  void VisitBoth(std::uint32_t a, std::uint32_t b, std::uint32_t step, int depth) {
    if (numbers_.contains(b) && !numbers_.contains(a)) std::swap(a, b);
    if (!numbers_.contains(a)) {
      Visit(a, depth + 1);
      NumberLast(a);
    }
    if (!numbers_.contains(b)) {
      Visit(b, depth + 1);
      Say(fmt::format("And because {}, {}.", Numbered(a), So(step)));
      return;
    }
    Say(fmt::format("Because {} and {}, {}.", Numbered(a), Numbered(b), So(step)));
  }

  std::vector<DerivationStep> steps_;
  Clauses clauses_;
  std::vector<std::uint32_t> shown_;  // by step: the one that is shown in its place
  std::vector<int> uses_;
  std::vector<Line> lines_;
  std::map<std::uint32_t, int> numbers_;
  int numbered_ = 0;
};

}  // namespace

std::string Explain(const Derivation& derivation, const Namer& namer) {
  return Explainer(derivation, namer).Run();
}

}  // namespace imgbuild::builder
