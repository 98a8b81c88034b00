#include "specs/debian/relation.h"

#include <algorithm>

#include <fmt/format.h>

#include "specs/base/error.h"
#include "specs/base/text.h"
#include "specs/debian/relation_scanner.h"

namespace imgbuild::specs {
namespace {

std::vector<Restriction> ParseRestrictions(std::string_view words) {
  std::vector<Restriction> restrictions;
  for (std::string_view word : SplitWords(words)) {
    Restriction restriction;
    restriction.negated = word.front() == '!';
    restriction.name = word.substr(restriction.negated ? 1 : 0);
    if (restriction.name.empty()) {
      throw Error("a restriction lacks its name").Found(std::string(words));
    }
    restrictions.push_back(std::move(restriction));
  }
  if (restrictions.empty()) throw Error("an empty list of restrictions in a relation field");
  return restrictions;
}

std::string RenderRestrictions(const std::vector<Restriction>& restrictions) {
  std::vector<std::string> words;
  for (const Restriction& restriction : restrictions) {
    words.push_back((restriction.negated ? "!" : "") + restriction.name);
  }
  return Join(words, " ");
}

DebianRelation Owned(const ScannedRelation& scanned) {
  DebianRelation relation;
  relation.name = scanned.name;
  relation.qualifier = scanned.qualifier;
  relation.op = scanned.op;
  relation.version = scanned.version;
  if (scanned.architectures.data() != nullptr) {
    relation.architectures = ParseRestrictions(scanned.architectures);
  }
  std::string_view rest = scanned.profiles;
  while (!rest.empty()) {
    std::size_t close = rest.find('>');
    relation.profiles.push_back(ParseRestrictions(rest.substr(1, close - 1)));
    rest = Trim(rest.substr(close + 1));
  }
  return relation;
}

std::string RenderRelation(const DebianRelation& relation) {
  std::string text = relation.name;
  if (!relation.qualifier.empty()) text += ":" + relation.qualifier;
  if (relation.op != VersionOp::kAny) {
    text += fmt::format(" ({} {})", VersionOpText(relation.op), relation.version);
  }
  if (!relation.architectures.empty()) {
    text += fmt::format(" [{}]", RenderRestrictions(relation.architectures));
  }
  for (const std::vector<Restriction>& profile : relation.profiles) {
    text += fmt::format(" <{}>", RenderRestrictions(profile));
  }
  return text;
}

// A list is either all negated (none may match) or all plain (one has to).
bool HoldsOn(const std::vector<Restriction>& architectures, Architecture architecture) {
  if (architectures.empty()) return true;
  bool listed = false;
  for (const Restriction& restriction : architectures) {
    if (!ArchitectureMatches(restriction.name, architecture)) continue;
    if (restriction.negated) return false;
    listed = true;
  }
  return listed || architectures.front().negated;
}

// With no profile active, a formula holds when one of its terms has negated names only.
bool HoldsWithoutProfiles(const std::vector<std::vector<Restriction>>& profiles) {
  auto all_negated = [](const std::vector<Restriction>& term) {
    return std::all_of(term.begin(), term.end(),
                       [](const Restriction& restriction) { return restriction.negated; });
  };
  return profiles.empty() || std::any_of(profiles.begin(), profiles.end(), all_negated);
}

}  // namespace

DebianRelations ParseDebianRelations(std::string_view field) {
  DebianRelations relations;
  RelationScanner scanner(field);
  bool begins_group = true;
  while (std::optional<ScannedRelation> scanned = scanner.Next()) {
    if (begins_group) relations.emplace_back();
    relations.back().push_back(Owned(*scanned));
    begins_group = scanned->ends_group;
  }
  return relations;
}

std::string RenderDebianRelations(const DebianRelations& relations) {
  std::vector<std::string> groups;
  for (const DebianAlternatives& group : relations) {
    std::vector<std::string> alternatives;
    for (const DebianRelation& relation : group) alternatives.push_back(RenderRelation(relation));
    groups.push_back(Join(alternatives, " | "));
  }
  return Join(groups, ", ");
}

DebianRelations RelationsFor(const DebianRelations& relations, Architecture architecture) {
  DebianRelations kept;
  for (const DebianAlternatives& group : relations) {
    DebianAlternatives alternatives;
    for (const DebianRelation& relation : group) {
      if (!HoldsOn(relation.architectures, architecture)) continue;
      if (!HoldsWithoutProfiles(relation.profiles)) continue;
      alternatives.push_back(relation);
      alternatives.back().architectures.clear();
      alternatives.back().profiles.clear();
    }
    if (!alternatives.empty()) kept.push_back(std::move(alternatives));
  }
  return kept;
}

bool ArchitectureMatches(std::string_view pattern, Architecture architecture) {
  std::string_view name = ArchitectureName(architecture);
  if (pattern == name || pattern == "any" || pattern == "all" || pattern == "linux-any") {
    return true;
  }
  constexpr std::string_view kAnySystem = "any-";
  constexpr std::string_view kLinux = "linux-";
  if (pattern.starts_with(kAnySystem)) return pattern.substr(kAnySystem.size()) == name;
  if (pattern.starts_with(kLinux)) return pattern.substr(kLinux.size()) == name;
  return false;
}

}  // namespace imgbuild::specs
