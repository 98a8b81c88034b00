#include "builder/lock/cuda_resolution.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "builder/lock/cuda_part.h"
#include "specs/base/error.h"
#include "specs/env/cuda.h"

namespace imgbuild::builder {
namespace {

class CudaSearch {
 public:
  // Borrows all but `input`.
  CudaSearch(const specs::CudaSection& section, ResolveInput input, ReleaseBook& book,
             const ResolveOnce& resolve)
      : section_(section), input_(std::move(input)), book_(book), resolve_(resolve) {}

  Resolution Run() {
    // A version or component that there is not is an error of its own.
    newest_extras_ = CudaExtras(section_, book_);
    releases_ = CudaReleases(section_, book_);
    if (!TryReleases()) TryParts();
    if (!best_) throw specs::Error(*failure_);
    return *std::move(best_);
  }

 private:
  // Whether one of the version's releases makes it one set.
  bool TryReleases() {
    input_.binding = {std::string(kCudaToolkit)};
    std::optional<Resolution> first = Attempt([&] { return AskForAny(); });
    // Each release by itself asks for as much, or more: what none of them allows, one does not.
    if (!first && chosen_.empty()) return false;
    if (Take(std::move(first))) return true;
    return std::ranges::any_of(releases_, [&](const std::string& release) {
      return release != chosen_ && Take(Attempt([&] { return AskFor(release); }));
    });
  }

  void TryParts() {
    input_.binding.clear();
    LooseCuda loose = LooseCudaRequirements(section_, book_);
    std::ranges::move(loose.constraints, std::back_inserter(input_.constraints));
    Take(Attempt([&] { return Ask(std::move(loose.requirements)); }));
  }

  // What the newest release has is asked of whichever goes with the rest. One that has other parts
  // is asked for its own then, as where the spec names it: to the solver, an extra that it does not
  // have is an empty one.
  Resolution AskForAny() {
    Resolution answer = Ask(CudaRequirements(section_, book_));
    chosen_ = ReleaseIn(answer);
    if (chosen_.empty()) return answer;
    const std::set<std::string> extras =
        specs::WithContext(fmt::format("with CUDA {}, which goes with the other packages", chosen_),
                           [&] { return CudaExtras(section_, book_, chosen_); });
    return extras == newest_extras_ ? std::move(answer) : AskFor(chosen_);
  }

  Resolution AskFor(const std::string& release) {
    return Ask(CudaRequirements(section_, book_, release));
  }

  Resolution Ask(std::vector<specs::Requirement> requirements) {
    input_.optional = {std::string(specs::kCudaRoot), std::move(requirements)};
    return resolve_(input_);
  }

  // What `ask` returns; nullopt where that cannot be had, of which the first reason is kept.
  template <typename Action>
  std::optional<Resolution> Attempt(Action ask) {
    try {
      return ask();
    } catch (const specs::Error& error) {
      if (error.kind() != specs::ErrorKind::kUnresolvable) throw;
      if (!failure_) failure_ = error;
      return std::nullopt;
    }
  }

  // Whether it is one set, and so the best answer, as the first one is until then.
  bool Take(std::optional<Resolution> answer) {
    if (!answer) return false;
    std::vector<std::string> projects;
    for (const ResolvedPackage& package : answer->packages) projects.push_back(package.name);
    const bool one_set = !HasOtherCuda(section_, projects);
    if (one_set || !best_) best_ = std::move(answer);
    return one_set;
  }

  // The toolkit's; "" of one that no index has, which is a wheel of the user's own.
  std::string ReleaseIn(const Resolution& resolution) const {
    const auto toolkit =
        std::ranges::find(resolution.packages, kCudaToolkit, &ResolvedPackage::name);
    if (toolkit == resolution.packages.end()) return "";
    const auto known = std::ranges::find(releases_, toolkit->version);
    return known == releases_.end() ? "" : *known;
  }

  const specs::CudaSection& section_;
  ResolveInput input_;
  ReleaseBook& book_;
  const ResolveOnce& resolve_;
  std::set<std::string> newest_extras_;
  std::vector<std::string> releases_;
  std::string chosen_;  // the release in the first answer
  std::optional<Resolution> best_;
  std::optional<specs::Error> failure_;
};

}  // namespace

Resolution ResolveWithCuda(const specs::CudaSection& section, ResolveInput input, ReleaseBook& book,
                           const ResolveOnce& resolve) {
  return CudaSearch(section, std::move(input), book, resolve).Run();
}

}  // namespace imgbuild::builder
