// Which file of a release would be installed, and which release of a project would be tried first
// (PEP 425, 440, 592; Requires-Python).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "builder/pypi/project.h"
#include "builder/pypi/resolver.h"
#include "builder/pypi/target.h"
#include "specs/python/version.h"
#include "specs/python/version_range.h"

namespace imgbuild::builder {

// Why no file of a release can be used.
enum class UnusableReason { kNewer, kYanked, kPython, kTags, kOnlySdist, kOnlyWheels, kNoFile };

struct Unusable {
  UnusableReason reason = UnusableReason::kNoFile;
  // A clause after the release's name: "needs Python >=3.12", "has no wheel for ...".
  std::string clause;
};

struct Usable {
  std::uint32_t file = 0;  // index into the project's page
};

using Usability = std::variant<Usable, Unusable>;

// What holds for the whole resolution. Immutable once made; safe from many threads.
class CandidateRules {
 public:
  // Borrows `input`.
  explicit CandidateRules(const ResolveInput& input);

  // The best file of a release: of the wheels that fit, the one with the best tag, then the highest
  // build number; an sdist only where no wheel fits.
  Usability Judge(const Project& project, const Release& release) const;

  // The release in `range` that would be tried first: the first preferred version there, else the
  // newest final release, else the newest pre-release (or the newest of all, where pre-releases are
  // allowed). Usability is not looked at. nullopt where the range holds none.
  std::optional<std::size_t> Pick(const Project& project, const specs::VersionRange& range) const;

  // The same among the releases (by index) that `admits` accepts.
  std::optional<std::size_t> PickAmong(const Project& project,
                                       const std::function<bool(std::size_t)>& admits) const;

  // Whether pre-releases are like any other release.
  bool PrereleasesAllowed() const { return input_.prereleases == Prereleases::kAllow; }
  const PythonTarget& target() const { return input_.target; }
  const ResolveInput& input() const { return input_; }

 private:
  bool Named(const std::set<std::string>& names, const std::string& project) const;
  bool YankedAllowed(const std::string& project, const specs::Version& version) const;
  std::optional<Unusable> JudgeFile(const Project& project, const Release& release,
                                    const SimpleFile& file) const;
  Unusable NoWheelFits(const Project& project, const Release& release) const;
  bool SupportsPython(std::string_view requires_python) const;

  const ResolveInput& input_;
  std::map<std::string, std::vector<specs::Version>> exact_pins_;  // "==" of the user
  std::map<std::string, std::vector<specs::Version>> preferences_;
};

}  // namespace imgbuild::builder
