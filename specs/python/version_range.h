// Sets of PEP 440 versions as unions of intervals: what a PubGrub solver computes with.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "specs/python/version.h"

namespace imgbuild::specs {

class Specifier;
class SpecifierSet;

// Every set that specifiers can describe, closed under union, intersection and complement. The
// boundaries are keys like Version::key(), at or between versions:
//   ==1.0      from 1.0 to after every 1.0+local        ==1.0+x   1.0+x alone
//   <=1.0      up to after every 1.0+local              <1.0      below 1.0.dev0, the first
//   pre-release >1.0       from after every 1.0.postN[+local]       >1.0.post1, >1.0.dev1, >1.0a1:
//   the next one
//   ==1.*      from 1.dev0 to before 2.dev0             ~=1.4.2   from 1.4.2 to before 1.5.dev0
//   ===1.0     1.0 alone (nothing where the text is no version)
// Pre-releases are in the sets like any other version; leaving them out is the candidate
// selection's business (Specifier::MentionsPrerelease, PythonSection::allow_prereleases).
// Values are normal: equal sets of boundaries compare equal.
class [[nodiscard]] VersionRange {
 public:
  // Nothing.
  VersionRange() = default;
  static VersionRange Full();
  // Exactly the versions that compare equal to `version`, local segment included.
  static VersionRange Only(const Version& version);
  // What `specifier` admits, pre-releases included.
  static VersionRange Of(const Specifier& specifier);
  // The intersection of its specifiers; Full() for the empty set.
  static VersionRange Of(const SpecifierSet& set);

  bool Contains(const Version& version) const;
  bool empty() const { return intervals_.empty(); }
  bool IsFull() const;

  VersionRange Intersect(const VersionRange& other) const;
  VersionRange Union(const VersionRange& other) const;
  VersionRange Complement() const;
  bool IsSubsetOf(const VersionRange& other) const;
  bool IsDisjointFrom(const VersionRange& other) const;

  // For people: "==1.0", ">=1.0,<2", "!=1.3", "<1 or >=2"; "any version", "no version".
  std::string Render() const;

  bool operator==(const VersionRange&) const = default;

 private:
  // Half open, ordered, apart from each other; keys as version_key.h describes them. The lowest is
  // the key of 0.dev0, below which there is no version; the highest lies above all.
  using Interval = std::pair<std::string, std::string>;

  static VersionRange Between(std::string from, std::string to);
  std::string RenderGaps() const;

  std::vector<Interval> intervals_;
};

}  // namespace imgbuild::specs
