// Sets of the versions of one package, as intervals over an order that its provider defines.
#pragma once

#include <compare>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace imgbuild::builder {

// A place in the order of one package's versions. What it means is the provider's business: the
// index of a version in an ascending list, or, where ranges have bounds that are no versions, odd
// numbers for versions and even ones for what lies between (see Gap and Slot below). Once handed
// to the solver a position keeps its meaning. kEndPosition itself is never a version.
using Position = std::uint32_t;
inline constexpr Position kEndPosition = std::numeric_limits<Position>::max();

// Lists of versions with room between them: version i of an ascending list lies at Slot(i), and
// Gap(i) is every imaginable version between the versions i - 1 and i. Gap(size) lies above all.
constexpr Position Slot(std::uint32_t index) { return 2 * index + 1; }
constexpr Position Gap(std::uint32_t index) { return 2 * index; }
// The version that lies at a position; nullopt for a gap.
constexpr std::optional<std::uint32_t> IndexOf(Position position) {
  if (position % 2 == 0) return std::nullopt;
  return position / 2;
}

// A union of half-open intervals: ordered, not empty, apart from each other. Closed under
// intersection, union and complement; equal sets compare equal. Operations take time linear in the
// number of intervals.
class [[nodiscard]] VersionSet {
 public:
  struct Interval {
    Position from = 0;
    Position to = 0;  // excluded

    auto operator<=>(const Interval&) const = default;
  };

  VersionSet() = default;  // nothing
  static VersionSet Full() { return Between(0, kEndPosition); }
  static VersionSet Only(Position position) { return Between(position, position + 1); }
  // [from, to); nothing where that is empty.
  static VersionSet Between(Position from, Position to);
  static VersionSet From(Position from) { return Between(from, kEndPosition); }
  static VersionSet Below(Position to) { return Between(0, to); }
  // Any positions, in any order.
  static VersionSet Of(std::vector<Position> positions);

  bool Contains(Position position) const;
  bool empty() const { return intervals_.empty(); }
  bool IsFull() const;

  VersionSet Intersect(const VersionSet& other) const;
  VersionSet Union(const VersionSet& other) const;
  VersionSet Complement() const;
  bool IsSubsetOf(const VersionSet& other) const;
  bool IsDisjointFrom(const VersionSet& other) const;

  const std::vector<Interval>& intervals() const { return intervals_; }

  // "[0,3) [5,6)": for tests and messages about bugs; people read what the Namer makes of it.
  std::string Render() const;

  bool operator==(const VersionSet&) const = default;

 private:
  void Append(Interval interval);

  std::vector<Interval> intervals_;
};

}  // namespace imgbuild::builder
