#include "builder/pypi/candidates.h"

#include <algorithm>
#include <utility>

#include <fmt/core.h>

#include "specs/base/text.h"
#include "specs/python/name.h"
#include "specs/python/requirement.h"

namespace imgbuild::builder {
namespace {

// How far a file came before it was found unusable: what the reader can act on comes last.
int Depth(UnusableReason reason) {
  switch (reason) {
    case UnusableReason::kNoFile:
      return 0;
    case UnusableReason::kNewer:
      return 1;
    case UnusableReason::kYanked:
      return 2;
    case UnusableReason::kOnlySdist:
    case UnusableReason::kOnlyWheels:
      return 3;
    case UnusableReason::kPython:
      return 4;
    case UnusableReason::kTags:
      return 5;
  }
  return 0;
}

struct RankedWheel {
  std::size_t rank = 0;
  std::optional<specs::WheelName::Build> build;
  std::uint32_t file = 0;

  // The lower rank, then the higher build.
  bool BetterThan(const RankedWheel& other) const {
    if (rank != other.rank) return rank < other.rank;
    return build > other.build;
  }
};

std::string SomeOf(const std::set<std::string>& texts) {
  constexpr std::size_t kShown = 6;
  std::vector<std::string> shown;
  for (const std::string& text : texts) {
    if (shown.size() == kShown) {
      shown.push_back("...");
      break;
    }
    shown.push_back(text);
  }
  return specs::Join(shown, ", ");
}

}  // namespace

CandidateRules::CandidateRules(const ResolveInput& input) : input_(input) {
  auto learn = [&](const specs::Requirement& requirement) {
    std::string name = specs::NormalizeName(requirement.name);
    for (const specs::Specifier& specifier : requirement.specifier.specifiers()) {
      using Op = specs::SpecifierOperator;
      if (specifier.op() == Op::kEqual && !specifier.wildcard()) {
        exact_pins_[name].push_back(specifier.version());
      } else if (specifier.op() == Op::kArbitrary) {
        auto version = specs::Version::Parse(specifier.version_text());
        if (version) exact_pins_[name].push_back(*version);
      }
    }
  };
  for (const specs::Requirement& requirement : input.requirements) learn(requirement);
  for (const specs::Requirement& requirement : input.constraints) learn(requirement);
  for (const auto& [name, texts] : input.preferences) {
    for (const std::string& text : texts) {
      if (auto version = specs::Version::Parse(text)) preferences_[name].push_back(*version);
    }
  }
}

bool CandidateRules::Named(const std::set<std::string>& names, const std::string& project) const {
  return names.contains(project) || names.contains(":all:");
}

bool CandidateRules::YankedAllowed(const std::string& project,
                                   const specs::Version& version) const {
  if (auto preferred = preferences_.find(project); preferred != preferences_.end()) {
    if (std::ranges::find(preferred->second, version) != preferred->second.end()) return true;
  }
  auto pins = exact_pins_.find(project);
  if (pins == exact_pins_.end()) return false;
  return std::any_of(pins->second.begin(), pins->second.end(), [&](const specs::Version& pin) {
    return pin == version || (!pin.has_local() && pin == version.Public());
  });
}

bool CandidateRules::SupportsPython(std::string_view requires_python) const {
  auto parsed = specs::ParseSpecifierLenient(requires_python);
  auto* specifiers = std::get_if<specs::SpecifierSet>(&parsed);
  // What nobody can read restricts nobody, as in pip and uv.
  return specifiers == nullptr || specifiers->Contains(input_.target.version);
}

std::optional<Unusable> CandidateRules::JudgeFile(const Project& project, const Release& release,
                                                  const SimpleFile& file) const {
  if (input_.exclude_newer) {
    if (!file.upload_time) {
      return Unusable{UnusableReason::kNewer,
                      "has no upload time, which exclude-newer needs, on this index"};
    }
    if (*file.upload_time >= *input_.exclude_newer) {
      return Unusable{UnusableReason::kNewer, "is newer than exclude-newer allows"};
    }
  }
  if (file.yanked == YankedState::kYes && !YankedAllowed(project.name, release.version)) {
    std::string clause = "was yanked";
    if (!file.yanked_reason.empty()) {
      clause += fmt::format(" (\"{}\")", specs::Trim(file.yanked_reason.substr(0, 200)));
    }
    return Unusable{UnusableReason::kYanked, std::move(clause)};
  }
  bool wheel = IsWheel(file.filename);
  if (wheel && Named(input_.no_binary, project.name)) {
    return Unusable{UnusableReason::kOnlyWheels, "has only wheels, which are not to be used"};
  }
  if (!wheel && (input_.sdists == Sdists::kNever || Named(input_.no_build, project.name))) {
    return Unusable{UnusableReason::kOnlySdist,
                    "has only a source archive, which would have to be built"};
  }
  if (!file.requires_python.empty() && !SupportsPython(file.requires_python)) {
    return Unusable{UnusableReason::kPython, fmt::format("needs Python {}", file.requires_python)};
  }
  return std::nullopt;
}

Unusable CandidateRules::NoWheelFits(const Project& project, const Release& release) const {
  std::set<std::string> pythons;
  std::set<std::string> platforms;
  for (std::uint32_t index : release.files) {
    auto parsed = specs::WheelName::Parse(project.page.filename(index));
    auto* wheel = std::get_if<specs::WheelName>(&parsed);
    if (wheel == nullptr) continue;
    for (const std::string& python : wheel->pythons) {
      for (const std::string& abi : wheel->abis) pythons.insert(python + "-" + abi);
    }
    platforms.insert(wheel->platforms.begin(), wheel->platforms.end());
  }
  return {UnusableReason::kTags,
          fmt::format("has no wheel for {} (its wheels are for {} on {})",
                      input_.target.description, SomeOf(pythons), SomeOf(platforms))};
}

Usability CandidateRules::Judge(const Project& project, const Release& release) const {
  Unusable worst;
  worst.clause = "has no file";
  std::optional<RankedWheel> best;
  std::optional<std::uint32_t> sdist;
  auto remember = [&](Unusable unusable) {
    if (Depth(unusable.reason) > Depth(worst.reason)) worst = std::move(unusable);
  };
  for (std::uint32_t index : release.files) {
    SimpleFile file = project.page.file(index);
    if (std::optional<Unusable> unusable = JudgeFile(project, release, file)) {
      remember(std::move(*unusable));
      continue;
    }
    if (!IsWheel(file.filename)) {
      // ".tar.gz" is what the standard asks for; a ".zip" beside it says the same.
      if (!sdist || file.filename.ends_with(".tar.gz")) sdist = index;
      continue;
    }
    auto parsed = specs::WheelName::Parse(file.filename);
    auto* wheel = std::get_if<specs::WheelName>(&parsed);
    if (wheel == nullptr) continue;
    std::optional<std::size_t> rank = input_.target.tags.Rank(*wheel);
    if (!rank) {
      remember(Unusable{UnusableReason::kTags, ""});
      continue;
    }
    RankedWheel candidate{*rank, wheel->build, index};
    if (!best || candidate.BetterThan(*best)) best = std::move(candidate);
  }
  if (best) return Usable{best->file};
  if (sdist) return Usable{*sdist};
  if (worst.reason == UnusableReason::kTags) return NoWheelFits(project, release);
  return worst;
}

std::optional<std::size_t> CandidateRules::Pick(const Project& project,
                                                const specs::VersionRange& range) const {
  return PickAmong(project, [&](std::size_t release) {
    return range.Contains(project.releases[release].version);
  });
}

std::optional<std::size_t> CandidateRules::PickAmong(
    const Project& project, const std::function<bool(std::size_t)>& admits) const {
  const std::vector<Release>& releases = project.releases;
  if (auto preferred = preferences_.find(project.name); preferred != preferences_.end()) {
    for (const specs::Version& version : preferred->second) {
      const auto found = std::ranges::lower_bound(releases, version, {}, &Release::version);
      const std::size_t index = found - releases.begin();
      if (found != releases.end() && found->version == version && admits(index)) return index;
    }
  }
  bool any = PrereleasesAllowed();
  std::optional<std::size_t> prerelease;
  for (std::size_t i = releases.size(); i-- > 0;) {
    bool stable = !releases[i].version.is_prerelease();
    if (!stable && !any && prerelease) continue;
    if (!admits(i)) continue;
    if (any || stable) return i;
    prerelease = i;
  }
  return prerelease;
}

}  // namespace imgbuild::builder
