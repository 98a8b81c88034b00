#include "universe.h"

#include <algorithm>
#include <stdexcept>

#include <fmt/format.h>

#include "specs/base/toml.h"

namespace imgbuild::builder {
namespace {

std::vector<std::string> Texts(const specs::TomlValue& list) {
  std::vector<std::string> texts;
  for (const specs::TomlValue& item : list.items) texts.push_back(item.text);
  return texts;
}

std::vector<int> Numbers(std::string_view version) {
  std::vector<int> numbers(1);
  for (char c : version) {
    if (c == '.') {
      numbers.push_back(0);
    } else {
      numbers.back() = numbers.back() * 10 + (c - '0');
    }
  }
  while (numbers.size() > 1 && numbers.back() == 0) numbers.pop_back();
  return numbers;
}

bool Older(const std::string& a, const std::string& b) { return Numbers(a) < Numbers(b); }

}  // namespace

Universe ParseUniverse(std::string_view text, std::string_view file) {
  auto document = specs::ParseToml(text, file);
  if (const auto* problem = std::get_if<specs::Problem>(&document)) {
    throw std::runtime_error(problem->Render());
  }
  Universe universe;
  for (const specs::TomlEntry& entry : std::get<specs::TomlValue>(document).entries) {
    if (entry.key == "description") {
      universe.description = entry.value.text;
    } else if (entry.key == "root") {
      universe.root = Texts(entry.value);
    } else if (entry.key == "solution") {
      universe.solution = Texts(entry.value);
    } else if (entry.key == "explanation") {
      universe.explanation = entry.value.text;
    } else if (entry.key == "packages") {
      for (const specs::TomlEntry& package : entry.value.entries) {
        auto& versions = universe.packages[package.key];
        for (const specs::TomlEntry& version : package.value.entries) {
          versions[version.key] = Texts(version.value);
        }
      }
    } else {
      throw std::runtime_error(fmt::format("{}: unknown key", entry.where.Render()));
    }
  }
  return universe;
}

UniverseProvider::UniverseProvider(const Universe& universe) {
  IdOf("root");
  versions_[kRoot] = {"0"};
  needs_[kRoot] = {universe.root};
  for (const auto& [name, versions] : universe.packages) {
    PackageId id = IdOf(name);
    for (const auto& [version, needs] : versions) versions_[id].push_back(version);
    std::sort(versions_[id].begin(), versions_[id].end(), Older);
    for (const std::string& version : versions_[id]) needs_[id].push_back(versions.at(version));
  }
}

PackageId UniverseProvider::IdOf(const std::string& name) {
  auto [at, added] = ids_.try_emplace(name, static_cast<PackageId>(names_.size()));
  if (added) {
    names_.push_back(name);
    versions_.emplace_back();
    needs_.emplace_back();
  }
  return at->second;
}

Need UniverseProvider::ParseNeed(std::string_view text) {
  std::size_t end = std::min(text.find_first_of("<>=!"), text.size());
  PackageId package = IdOf(std::string(text.substr(0, end)));
  const std::vector<std::string>& known = versions_[package];
  VersionSet set = VersionSet::Full();
  std::string_view rest = text.substr(end);
  while (!rest.empty()) {
    std::string_view part = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(part.size() + 1, rest.size()));
    std::string_view op = part.substr(0, part.find_first_of("0123456789"));
    std::string bound(part.substr(op.size()));
    auto place = std::lower_bound(known.begin(), known.end(), bound, Older);
    auto index = static_cast<std::uint32_t>(place - known.begin());
    bool exact = place != known.end() && !Older(bound, *place);
    Position from = exact ? Slot(index) : Gap(index);
    Position after = from + 1;
    VersionSet one = VersionSet::Between(from, after);
    if (op == ">=") set = set.Intersect(VersionSet::From(from));
    if (op == ">") set = set.Intersect(VersionSet::From(exact ? after : from));
    if (op == "<") set = set.Intersect(VersionSet::Below(exact ? from : after));
    if (op == "<=") set = set.Intersect(VersionSet::Below(after));
    if (op == "==") set = set.Intersect(one);
    if (op == "!=" && exact) set = set.Intersect(one.Complement());
  }
  asked_.emplace(std::pair(package, set.Render()), std::string(text));
  return {package, std::move(set)};
}

std::vector<Position> UniverseProvider::Versions(PackageId package) const {
  std::vector<Position> slots;
  for (std::uint32_t i = 0; i < versions_[package].size(); ++i) slots.push_back(Slot(i));
  return slots;
}

Choice UniverseProvider::Choose(PackageId package, const VersionSet& allowed,
                                const PartialSolutionView&) {
  std::vector<Position> slots = Versions(package);
  for (auto slot = slots.rbegin(); slot != slots.rend(); ++slot) {
    if (allowed.Contains(*slot)) return *slot;
  }
  return NoVersion{slots.empty() ? "does not exist" : ""};
}

DependenciesAnswer UniverseProvider::DependenciesOf(PackageId package, Position version) {
  Dependencies dependencies;
  std::vector<std::string> lines = needs_[package][package == kRoot ? 0 : *IndexOf(version)];
  for (std::string_view line : lines) {
    if (line.starts_with("unavailable: ")) return Unavailable{std::string(line.substr(13)), {}};
    bool exclude = line.front() == '!';
    Need need = ParseNeed(line.substr(exclude ? 1 : 0));
    (exclude ? dependencies.excludes : dependencies.needs).push_back(std::move(need));
  }
  return dependencies;
}

DecisionPriority UniverseProvider::Prioritize(PackageId package, const VersionSet& allowed,
                                              const ConflictCounts& counts,
                                              const PartialSolutionView&) {
  std::vector<Position> slots = Versions(package);
  auto left = std::count_if(slots.begin(), slots.end(),
                            [&allowed](Position slot) { return allowed.Contains(slot); });
  return {counts.affected >= 5 ? 1 : 0, -left};
}

std::string UniverseProvider::Describe(PackageId package, const VersionSet& versions) const {
  auto asked = asked_.find({package, versions.Render()});
  if (asked != asked_.end()) return asked->second;
  std::string text;
  std::size_t count = 0;
  for (std::uint32_t i = 0; i < versions_[package].size(); ++i) {
    if (!versions.Contains(Slot(i))) continue;
    text += (count++ == 0 ? " " : " or ") + versions_[package][i];
  }
  return count == versions_[package].size() ? names_[package] : names_[package] + text;
}

std::vector<std::string> UniverseProvider::Render(
    const std::vector<std::pair<PackageId, Position>>& chosen) const {
  std::vector<std::string> lines;
  for (const auto& [package, version] : chosen) {
    if (package == kRoot) continue;
    lines.push_back(names_[package] + " " + versions_[package][*IndexOf(version)]);
  }
  std::sort(lines.begin(), lines.end());
  return lines;
}

}  // namespace imgbuild::builder
