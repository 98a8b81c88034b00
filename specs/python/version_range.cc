#include "specs/python/version_range.h"

#include <algorithm>
#include <optional>

#include "specs/base/text.h"
#include "specs/python/specifier.h"
#include "specs/python/version_key.h"

namespace imgbuild::specs {
namespace {

using version_key::Decode;
using version_key::kTop;
using version_key::Point;

const std::string& Bottom() {
  static const std::string key = Version::Parse("0.dev0")->key();
  return key;
}

std::string DevZero(VersionParts parts) {
  parts.local.clear();
  parts.dev = "0";
  return Version::FromParts(parts).key();
}

VersionParts ReleaseOf(const VersionParts& parts) {
  VersionParts release;
  release.epoch = parts.epoch;
  release.release = parts.release;
  return release;
}

std::string RenderParts(const VersionParts& parts) { return Version::FromParts(parts).Render(); }

// "==V" in every form that is one specifier, where the interval is one.
std::optional<std::string> RenderEqual(const std::string& from, const std::string& to) {
  if (to == kTop) return std::nullopt;
  Point low = Decode(from);
  if (low.after_posts || low.after_key) return std::nullopt;
  if (to == from + version_key::kAfterKey) return "==" + RenderParts(low.parts);
  if (low.parts.local.empty() && to == version_key::AfterLocals(low.parts)) {
    return "==" + RenderParts(low.parts);
  }
  if (from == Bottom()) return std::nullopt;  // "<1" reads better than "==0.*"
  Point high = Decode(to);
  if (from != DevZero(ReleaseOf(low.parts)) || high.after_posts) return std::nullopt;
  VersionParts prefix = ReleaseOf(low.parts);
  if (prefix.release.size() > high.parts.release.size()) return std::nullopt;
  prefix.release.resize(high.parts.release.size(), "0");
  if (to != version_key::NextPrefix(prefix.epoch, prefix.release)) return std::nullopt;
  return "==" + RenderParts(prefix) + ".*";
}

std::string RenderLower(const std::string& key) {
  Point point = Decode(key);
  if (point.after_posts || point.after_key) return ">" + RenderParts(point.parts);
  return ">=" + RenderParts(point.parts);
}

std::string RenderUpper(const std::string& key) {
  Point point = Decode(key);
  if (point.after_posts || point.after_key) return "<=" + RenderParts(point.parts);
  VersionParts& parts = point.parts;
  if (parts.dev == "0" && parts.pre_letter.empty() && parts.local.empty()) {
    parts.dev.reset();
    if (parts.post != "0") return "<" + RenderParts(parts);
    parts.post.reset();
    return "<=" + RenderParts(parts);
  }
  return "<" + RenderParts(parts);
}

std::string RenderInterval(const std::string& from, const std::string& to) {
  if (std::optional<std::string> equal = RenderEqual(from, to)) return *equal;
  std::string text;
  if (from != Bottom()) text = RenderLower(from);
  if (to != kTop) text += (text.empty() ? "" : ",") + RenderUpper(to);
  return text;
}

}  // namespace

VersionRange VersionRange::Between(std::string from, std::string to) {
  VersionRange range;
  if (from < Bottom()) from = Bottom();
  if (from < to) range.intervals_.emplace_back(std::move(from), std::move(to));
  return range;
}

VersionRange VersionRange::Full() { return Between(Bottom(), std::string(kTop)); }

VersionRange VersionRange::Only(const Version& version) {
  return Between(version.key(), version.key() + version_key::kAfterKey);
}

VersionRange VersionRange::Of(const Specifier& specifier) {
  const std::string top(kTop);
  if (specifier.op() == SpecifierOperator::kArbitrary) {
    std::optional<Version> version = Version::Parse(specifier.version_text());
    return version ? Only(*version) : VersionRange();
  }
  const Version& version = specifier.version();
  const VersionParts parts = version.Parts();
  switch (specifier.op()) {
    case SpecifierOperator::kGreaterEqual:
      return Between(version.key(), top);
    case SpecifierOperator::kLessEqual:
      return Between(Bottom(), version_key::AfterLocals(parts));
    case SpecifierOperator::kGreater:
      return Between(version_key::AfterPosts(parts), top);
    case SpecifierOperator::kLess:
      return Between(Bottom(), version.is_prerelease() ? version.key() : DevZero(parts));
    case SpecifierOperator::kCompatible: {
      std::vector<std::string> prefix(parts.release.begin(), parts.release.end() - 1);
      return Between(version.key(), version_key::NextPrefix(parts.epoch, std::move(prefix)));
    }
    case SpecifierOperator::kEqual:
      if (specifier.wildcard()) {
        return Between(DevZero(parts), version_key::NextPrefix(parts.epoch, parts.release));
      }
      if (version.has_local()) return Only(version);
      return Between(version.key(), version_key::AfterLocals(parts));
    case SpecifierOperator::kNotEqual:
      if (specifier.wildcard()) {
        return Between(DevZero(parts), version_key::NextPrefix(parts.epoch, parts.release))
            .Complement();
      }
      if (version.has_local()) return Only(version).Complement();
      return Between(version.key(), version_key::AfterLocals(parts)).Complement();
    case SpecifierOperator::kArbitrary:
      break;
  }
  return {};
}

VersionRange VersionRange::Of(const SpecifierSet& set) {
  VersionRange range = Full();
  for (const Specifier& specifier : set.specifiers()) range = range.Intersect(Of(specifier));
  return range;
}

bool VersionRange::Contains(const Version& version) const {
  auto after = std::upper_bound(
      intervals_.begin(), intervals_.end(), version.key(),
      [](const std::string& key, const Interval& interval) { return key < interval.first; });
  return after != intervals_.begin() && version.key() < std::prev(after)->second;
}

bool VersionRange::IsFull() const { return *this == Full(); }

VersionRange VersionRange::Intersect(const VersionRange& other) const {
  VersionRange result;
  auto a = intervals_.begin();
  auto b = other.intervals_.begin();
  while (a != intervals_.end() && b != other.intervals_.end()) {
    const std::string& from = std::max(a->first, b->first);
    const std::string& to = std::min(a->second, b->second);
    if (from < to) result.intervals_.emplace_back(from, to);
    a->second < b->second ? ++a : ++b;
  }
  return result;
}

VersionRange VersionRange::Union(const VersionRange& other) const {
  std::vector<Interval> all;
  all.reserve(intervals_.size() + other.intervals_.size());
  std::merge(intervals_.begin(), intervals_.end(), other.intervals_.begin(), other.intervals_.end(),
             std::back_inserter(all));
  VersionRange result;
  for (Interval& interval : all) {
    if (!result.intervals_.empty() && interval.first <= result.intervals_.back().second) {
      std::string& end = result.intervals_.back().second;
      if (end < interval.second) end = std::move(interval.second);
    } else {
      result.intervals_.push_back(std::move(interval));
    }
  }
  return result;
}

VersionRange VersionRange::Complement() const {
  VersionRange result;
  std::string from = Bottom();
  for (const auto& [begin, end] : intervals_) {
    if (from < begin) result.intervals_.emplace_back(from, begin);
    from = end;
  }
  if (from != kTop) result.intervals_.emplace_back(std::move(from), kTop);
  return result;
}

bool VersionRange::IsSubsetOf(const VersionRange& other) const { return Intersect(other) == *this; }

bool VersionRange::IsDisjointFrom(const VersionRange& other) const {
  return Intersect(other).empty();
}

// One interval with holes reads best as its hull and what is missing: ">=1,<2,!=1.5".
std::string VersionRange::RenderGaps() const {
  std::string text = RenderInterval(intervals_.front().first, intervals_.back().second);
  for (std::size_t i = 0; i + 1 < intervals_.size(); ++i) {
    auto gap = RenderEqual(intervals_[i].second, intervals_[i + 1].first);
    if (!gap) return "";
    text += (text.empty() ? "!" : ",!") + gap->substr(1);
  }
  return text;
}

std::string VersionRange::Render() const {
  if (empty()) return "no version";
  if (IsFull()) return "any version";
  std::string gaps = RenderGaps();
  if (!gaps.empty()) return gaps;
  std::vector<std::string> texts;
  for (const auto& [from, to] : intervals_) texts.push_back(RenderInterval(from, to));
  return Join(texts, " or ");
}

}  // namespace imgbuild::specs
