#include "builder/resolve/version_set.h"

#include <algorithm>

#include <fmt/format.h>

namespace imgbuild::builder {

VersionSet VersionSet::Between(Position from, Position to) {
  VersionSet set;
  if (from < to) set.intervals_.push_back({from, to});
  return set;
}

VersionSet VersionSet::Of(std::vector<Position> positions) {
  std::sort(positions.begin(), positions.end());
  VersionSet set;
  for (Position position : positions) set.Append({position, position + 1});
  return set;
}

// Intervals have to come in order of their beginning.
void VersionSet::Append(Interval interval) {
  if (interval.from >= interval.to) return;
  if (!intervals_.empty() && interval.from <= intervals_.back().to) {
    intervals_.back().to = std::max(intervals_.back().to, interval.to);
  } else {
    intervals_.push_back(interval);
  }
}

bool VersionSet::Contains(Position position) const {
  auto after = std::upper_bound(intervals_.begin(), intervals_.end(), position,
                                [](Position at, const Interval& i) { return at < i.from; });
  return after != intervals_.begin() && position < std::prev(after)->to;
}

bool VersionSet::IsFull() const {
  return intervals_.size() == 1 && intervals_[0] == Interval{0, kEndPosition};
}

VersionSet VersionSet::Intersect(const VersionSet& other) const {
  VersionSet result;
  auto a = intervals_.begin();
  auto b = other.intervals_.begin();
  while (a != intervals_.end() && b != other.intervals_.end()) {
    result.Append({std::max(a->from, b->from), std::min(a->to, b->to)});
    if (a->to < b->to) {
      ++a;
    } else {
      ++b;
    }
  }
  return result;
}

VersionSet VersionSet::Union(const VersionSet& other) const {
  VersionSet result;
  auto a = intervals_.begin();
  auto b = other.intervals_.begin();
  while (a != intervals_.end() || b != other.intervals_.end()) {
    bool take_a = b == other.intervals_.end() || (a != intervals_.end() && a->from < b->from);
    result.Append(take_a ? *a++ : *b++);
  }
  return result;
}

VersionSet VersionSet::Complement() const {
  VersionSet result;
  Position from = 0;
  for (const Interval& interval : intervals_) {
    result.Append({from, interval.from});
    from = interval.to;
  }
  result.Append({from, kEndPosition});
  return result;
}

bool VersionSet::IsSubsetOf(const VersionSet& other) const {
  auto b = other.intervals_.begin();
  for (const Interval& a : intervals_) {
    while (b != other.intervals_.end() && b->to < a.to) ++b;
    if (b == other.intervals_.end() || b->from > a.from) return false;
  }
  return true;
}

bool VersionSet::IsDisjointFrom(const VersionSet& other) const {
  auto a = intervals_.begin();
  auto b = other.intervals_.begin();
  while (a != intervals_.end() && b != other.intervals_.end()) {
    if (std::max(a->from, b->from) < std::min(a->to, b->to)) return false;
    if (a->to < b->to) {
      ++a;
    } else {
      ++b;
    }
  }
  return true;
}

std::string VersionSet::Render() const {
  if (empty()) return "nothing";
  std::string text;
  for (const Interval& interval : intervals_) {
    if (!text.empty()) text += ' ';
    text += interval.to == kEndPosition ? fmt::format("[{},)", interval.from)
                                        : fmt::format("[{},{})", interval.from, interval.to);
  }
  return text;
}

}  // namespace imgbuild::builder
