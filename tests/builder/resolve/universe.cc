#include "universe.h"

#include <algorithm>
#include <stdexcept>

#include <fmt/format.h>

namespace imgbuild::builder {
namespace {

std::string_view Strip(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\r')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\r')) text.remove_suffix(1);
  return text;
}

std::string Unquote(std::string_view text) {
  text = Strip(text);
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') {
    return std::string(text.substr(1, text.size() - 2));
  }
  throw std::runtime_error(fmt::format("not a string: {}", text));
}

std::vector<std::string> ParseList(std::string_view text) {
  text = Strip(text);
  if (text.size() < 2 || text.front() != '[' || text.back() != ']') {
    throw std::runtime_error(fmt::format("not a list: {}", text));
  }
  text = text.substr(1, text.size() - 2);
  std::vector<std::string> items;
  while (true) {
    std::size_t begin = text.find('"');
    if (begin == std::string_view::npos) return items;
    std::size_t end = text.find('"', begin + 1);
    if (end == std::string_view::npos) throw std::runtime_error("a quote is missing");
    items.emplace_back(text.substr(begin + 1, end - begin - 1));
    text.remove_prefix(end + 1);
  }
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

// Cuts the next line off `text`.
std::string_view TakeLine(std::string_view& text) {
  std::string_view line = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(line.size() + 1, text.size()));
  return line;
}

}  // namespace

Universe ParseUniverse(std::string_view text) {
  Universe universe;
  std::string package;
  while (!text.empty()) {
    std::string_view line = Strip(TakeLine(text));
    if (line.empty() || line.front() == '#') continue;
    if (line.starts_with("[packages.")) {
      package = std::string(line.substr(10, line.size() - 11));
      universe.packages[package];
      continue;
    }
    std::size_t equals = line.find(" = ");
    if (equals == std::string_view::npos) {
      throw std::runtime_error(fmt::format("not understood: {}", line));
    }
    std::string_view key = line.substr(0, equals);
    std::string value(line.substr(equals + 3));
    while (value.front() == '[' && value.back() != ']' && !text.empty()) value += TakeLine(text);
    if (value == "'''") {
      std::size_t end = text.find("'''");
      if (end == std::string_view::npos) throw std::runtime_error("''' is missing");
      universe.explanation = std::string(text.substr(0, end));
      text.remove_prefix(end + 3);
    } else if (!package.empty()) {
      universe.packages[package][Unquote(key)] = ParseList(value);
    } else if (key == "description") {
      universe.description = Unquote(value);
    } else if (key == "root") {
      universe.root = ParseList(value);
    } else if (key == "solution") {
      universe.solution = ParseList(value);
    } else {
      throw std::runtime_error(fmt::format("unknown key: {}", key));
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
