#include "specs/python/version.h"

#include <algorithm>
#include <cassert>
#include <limits>

#include "specs/base/text.h"
#include "specs/python/python_text.h"
#include "specs/python/version_key.h"
#include "specs/python/version_scan.h"

namespace imgbuild::specs {
namespace {

using namespace version_key;  // NOLINT: the codes read as words here

// As many digits as Python's int() takes.
constexpr std::size_t kMaxDigits = 4300;

bool IsNumber(std::string_view text) { return std::all_of(text.begin(), text.end(), IsAsciiDigit); }

bool IsZero(std::string_view digits) {
  return digits.find_first_not_of('0') == std::string_view::npos;
}

// Number after number of a release; trailing zeros are counted instead of written.
class ReleaseWriter {
 public:
  explicit ReleaseWriter(std::string& key) : key_(key) {}
  void Add(std::string_view digits) {
    if (IsZero(digits)) {
      ++zeros_;
      return;
    }
    key_.append(zeros_, 1);  // the number 0 is the byte 1
    zeros_ = 0;
    AppendNumber(key_, digits);
  }
  // The zeros that the key leaves out.
  std::uint32_t Finish() {
    key_ += kReleaseEnd;
    return zeros_;
  }

 private:
  std::string& key_;
  std::uint32_t zeros_ = 0;
};

struct Suffix {
  char pre = 0;
  std::string_view pre_number;
  std::optional<std::string_view> post;
  std::optional<std::string_view> dev;
};

void AppendSuffix(std::string& key, const Suffix& suffix) {
  if (suffix.pre != 0) {
    key += suffix.pre == 'a' ? kPreA : suffix.pre == 'b' ? kPreB : kPreRc;
    AppendNumber(key, suffix.pre_number);
  } else {
    key += suffix.dev && !suffix.post ? kPreDevOnly : kPreNone;
  }
  if (suffix.post) {
    key += kPost;
    AppendNumber(key, *suffix.post);
  } else {
    key += kPostNone;
  }
  if (suffix.dev) {
    key += kDev;
    AppendNumber(key, *suffix.dev);
  } else {
    key += kDevNone;
  }
}

void AppendLocalSegment(std::string& key, std::string_view segment) {
  if (IsNumber(segment)) {
    key += kLocalNumber;
    AppendNumber(key, segment);
  } else {
    key += kLocalText;
    key += ToLower(segment);
    key += '\0';
  }
}

bool HasLongNumber(std::string_view text) {
  std::size_t run = 0;
  for (char c : text) {
    run = IsAsciiDigit(c) ? run + 1 : 0;
    if (run > kMaxDigits) return true;
  }
  return false;
}

// Everything before the local segments.
std::size_t PublicLength(std::string_view key) {
  std::string_view rest = key;
  TakeNumber(rest);
  while (rest.front() != kReleaseEnd) TakeNumber(rest);
  rest.remove_prefix(1);
  auto take = [&rest](char numbered) {
    char code = rest.front();
    rest.remove_prefix(1);
    if (code == numbered) TakeNumber(rest);
  };
  char pre = rest.front();
  take(pre == kPreDevOnly || pre == kPreNone ? '\0' : pre);
  take(kPost);
  take(kDev);
  return key.size() - rest.size();
}

}  // namespace

Version::Version() : key_{1, kReleaseEnd, kPreNone, kPostNone, kDevNone, kLocalEnd} {
  trailing_zeros_ = 1;
}

std::optional<Version> Version::Parse(std::string_view text) {
  text = StripPythonSpace(text);
  std::optional<VersionScan> scan = ScanVersion(text, VersionTail::kAll);
  if (!scan || scan->length != text.size()) return std::nullopt;
  if (text.size() > kMaxDigits && HasLongNumber(text)) return std::nullopt;
  Version version;
  version.key_.clear();
  AppendNumber(version.key_, scan->epoch.empty() ? "0" : scan->epoch);
  ReleaseWriter release(version.key_);
  for (std::string_view rest = scan->release;;) {
    std::size_t dot = rest.find('.');
    release.Add(rest.substr(0, dot));
    if (dot == std::string_view::npos) break;
    rest.remove_prefix(dot + 1);
  }
  version.trailing_zeros_ = release.Finish();
  auto number = [](std::string_view digits) { return digits.empty() ? "0" : digits; };
  Suffix suffix{scan->pre, number(scan->pre_number), std::nullopt, std::nullopt};
  if (scan->post) suffix.post = number(*scan->post);
  if (scan->dev) suffix.dev = number(*scan->dev);
  AppendSuffix(version.key_, suffix);
  for (std::string_view rest = scan->local; !rest.empty();) {
    std::size_t end = std::min(rest.find_first_of(".-_"), rest.size());
    AppendLocalSegment(version.key_, rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  version.key_ += kLocalEnd;
  version.prerelease_ = scan->pre != 0 || scan->dev;
  version.local_ = !scan->local.empty();
  return version;
}

Version Version::FromParts(const VersionParts& parts) {
  assert(!parts.release.empty());
  Version version;
  version.key_.clear();
  AppendNumber(version.key_, parts.epoch);
  ReleaseWriter release(version.key_);
  for (const std::string& number : parts.release) release.Add(number);
  version.trailing_zeros_ = release.Finish();
  Suffix suffix{parts.pre_letter.empty() ? '\0' : parts.pre_letter[0], parts.pre_number, parts.post,
                parts.dev};
  AppendSuffix(version.key_, suffix);
  for (const std::string& segment : parts.local) AppendLocalSegment(version.key_, segment);
  version.key_ += kLocalEnd;
  version.prerelease_ = suffix.pre != 0 || suffix.dev;
  version.local_ = !parts.local.empty();
  return version;
}

VersionParts Version::Parts() const {
  VersionParts parts = Decode(key_).parts;
  // Decode gives a lone "0" where the release has no other number.
  std::size_t zeros = trailing_zeros_;
  if (parts.release.size() == 1 && parts.release[0] == "0") --zeros;
  parts.release.insert(parts.release.end(), zeros, "0");
  return parts;
}

std::string Version::Render() const {
  VersionParts parts = Parts();
  std::string text;
  if (parts.epoch != "0") text = parts.epoch + "!";
  text += Join(parts.release, ".");
  text += parts.pre_letter + parts.pre_number;
  if (parts.post) text += ".post" + *parts.post;
  if (parts.dev) text += ".dev" + *parts.dev;
  if (!parts.local.empty()) text += "+" + Join(parts.local, ".");
  return text;
}

Version Version::Public() const {
  if (!local_) return *this;
  Version version = *this;
  version.key_.resize(PublicLength(key_));
  version.key_ += kLocalEnd;
  version.local_ = false;
  return version;
}

std::uint64_t Version::ReleaseNumber(std::size_t index) const {
  std::string_view rest = key_;
  TakeNumber(rest);
  while (rest.front() != kReleaseEnd) {
    std::string digits = TakeNumber(rest);
    if (index-- > 0) continue;
    return ParseUnsigned(digits).value_or(std::numeric_limits<std::uint64_t>::max());
  }
  return 0;
}

}  // namespace imgbuild::specs
