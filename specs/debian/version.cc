#include "specs/debian/version.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "specs/base/text.h"

namespace imgbuild::specs {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

bool AllAllowed(std::string_view text, std::string_view punctuation) {
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return IsDigit(c) || IsLetter(c) || punctuation.find(c) != std::string_view::npos;
  });
}

struct Parts {
  std::string_view epoch;  // digits without leading zeros
  std::string_view upstream;
  std::string_view revision;
};

std::string_view WithoutLeadingZeros(std::string_view digits) {
  while (!digits.empty() && digits.front() == '0') digits.remove_prefix(1);
  return digits;
}

Parts SplitVersion(std::string_view text) {
  Parts parts;
  std::size_t colon = text.find(':');
  if (colon != std::string_view::npos && colon > 0 &&
      std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(colon), IsDigit)) {
    parts.epoch = WithoutLeadingZeros(text.substr(0, colon));
    text.remove_prefix(colon + 1);
  }
  std::size_t dash = text.rfind('-');
  parts.upstream = text.substr(0, dash);
  if (dash != std::string_view::npos) parts.revision = text.substr(dash + 1);
  return parts;
}

std::weak_ordering CompareDigits(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return a.size() <=> b.size();
  return a.compare(b) <=> 0;
}

// "~" sorts before the end, letters before everything else; digits count as an end here.
int Weight(std::string_view text, std::size_t at) {
  if (at >= text.size() || IsDigit(text[at])) return 0;
  char c = text[at];
  if (c == '~') return -1;
  int value = static_cast<unsigned char>(c);
  return IsLetter(c) ? value : value + 256;
}

std::string_view TakeDigits(std::string_view text, std::size_t& at) {
  std::size_t begin = at;
  while (at < text.size() && IsDigit(text[at])) ++at;
  return WithoutLeadingZeros(text.substr(begin, at - begin));
}

std::weak_ordering ComparePart(std::string_view a, std::string_view b) {
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < a.size() || j < b.size()) {
    while ((i < a.size() && !IsDigit(a[i])) || (j < b.size() && !IsDigit(b[j]))) {
      int left = Weight(a, i);
      int right = Weight(b, j);
      if (left != right) return left <=> right;
      ++i;
      ++j;
    }
    std::string_view left = TakeDigits(a, i);
    std::string_view right = TakeDigits(b, j);
    if (auto order = CompareDigits(left, right); order != 0) return order;
  }
  return std::weak_ordering::equivalent;
}

}  // namespace

std::optional<DebianVersion> DebianVersion::Parse(std::string_view text) {
  text = Trim(text);
  DebianVersion version;
  bool has_epoch = false;
  if (std::size_t colon = text.find(':'); colon != std::string_view::npos) {
    std::optional<std::uint64_t> epoch = ParseUnsigned(text.substr(0, colon));
    if (!epoch || *epoch > std::numeric_limits<std::int32_t>::max()) return std::nullopt;
    version.epoch = static_cast<std::uint32_t>(*epoch);
    text.remove_prefix(colon + 1);
    has_epoch = true;
  }
  std::size_t dash = text.rfind('-');
  if (dash != std::string_view::npos) {
    version.revision = text.substr(dash + 1);
    if (version.revision.empty() || !AllAllowed(version.revision, "+.~")) return std::nullopt;
    text = text.substr(0, dash);
  }
  if (text.empty() || !IsDigit(text.front())) return std::nullopt;
  // A colon in the upstream part needs an epoch before it. An epoch of 0 that is not written back
  // would turn such a part into an epoch.
  if (!AllAllowed(text, has_epoch && version.epoch > 0 ? ".+-~:" : ".+-~")) return std::nullopt;
  version.upstream = text;
  return version;
}

std::string DebianVersion::Render() const {
  std::string text = epoch > 0 ? fmt::format("{}:{}", epoch, upstream) : upstream;
  if (!revision.empty()) text += "-" + revision;
  return text;
}

std::weak_ordering CompareDebianVersions(std::string_view a, std::string_view b) {
  Parts left = SplitVersion(a);
  Parts right = SplitVersion(b);
  if (auto order = CompareDigits(left.epoch, right.epoch); order != 0) return order;
  if (auto order = ComparePart(left.upstream, right.upstream); order != 0) return order;
  return ComparePart(left.revision, right.revision);
}

std::string_view VersionOpText(VersionOp op) {
  switch (op) {
    case VersionOp::kAny:
      return "";
    case VersionOp::kLess:
      return "<<";
    case VersionOp::kLessEqual:
      return "<=";
    case VersionOp::kEqual:
      return "=";
    case VersionOp::kGreaterEqual:
      return ">=";
    case VersionOp::kGreater:
      return ">>";
  }
  return "";
}

bool SatisfiesVersion(std::string_view version, VersionOp op, std::string_view bound) {
  if (op == VersionOp::kAny) return true;
  std::weak_ordering order = CompareDebianVersions(version, bound);
  switch (op) {
    case VersionOp::kLess:
      return order < 0;
    case VersionOp::kLessEqual:
      return order <= 0;
    case VersionOp::kEqual:
      return order == 0;
    case VersionOp::kGreaterEqual:
      return order >= 0;
    case VersionOp::kGreater:
      return order > 0;
    case VersionOp::kAny:
      break;
  }
  return true;
}

}  // namespace imgbuild::specs
