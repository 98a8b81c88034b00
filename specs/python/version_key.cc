#include "specs/python/version_key.h"

#include <cassert>
#include <charconv>
#include <cstdint>

namespace imgbuild::specs::version_key {
namespace {

// First bytes of a number: value + 1 up to kShortMax + 1, kLongBase + byte length, or kDecimal.
constexpr unsigned kShortMax = 222;
constexpr unsigned kLongBase = 0xE0;
constexpr unsigned kDecimal = 0xE9;

std::string TakeText(std::string_view& key, std::size_t length) {
  std::string text(key.substr(0, length));
  key.remove_prefix(length);
  return text;
}

char TakeCode(std::string_view& key) {
  assert(!key.empty());
  char code = key.front();
  key.remove_prefix(1);
  return code;
}

bool TakeSuffix(std::string_view& key, Point& point) {
  VersionParts& parts = point.parts;
  char pre = TakeCode(key);
  if (pre == kPreA || pre == kPreB || pre == kPreRc) {
    parts.pre_letter = pre == kPreA ? "a" : pre == kPreB ? "b" : "rc";
    parts.pre_number = TakeNumber(key);
  }
  char post = TakeCode(key);
  if (post == kPostAll) {
    point.after_posts = true;
    return false;
  }
  if (post == kPost) parts.post = TakeNumber(key);
  if (TakeCode(key) == kDev) parts.dev = TakeNumber(key);
  return true;
}

}  // namespace

void AppendNumber(std::string& key, std::string_view digits) {
  while (digits.size() > 1 && digits.front() == '0') digits.remove_prefix(1);
  std::uint64_t value = 0;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error == std::errc::result_out_of_range) {
    key += static_cast<char>(kDecimal);
    key += static_cast<char>(digits.size() >> 8);
    key += static_cast<char>(digits.size() & 0xFF);
    key += digits;
    return;
  }
  if (value <= kShortMax) {
    key += static_cast<char>(value + 1);
    return;
  }
  int length = 8;
  while ((value >> (8 * (length - 1))) == 0) --length;
  key += static_cast<char>(kLongBase + static_cast<unsigned>(length));
  for (int byte = length - 1; byte >= 0; --byte) key += static_cast<char>(value >> (8 * byte));
}

std::string TakeNumber(std::string_view& key) {
  unsigned first = static_cast<unsigned char>(TakeCode(key));
  assert(first >= 1 && first <= kDecimal);
  if (first <= kShortMax + 1) return std::to_string(first - 1);
  if (first == kDecimal) {
    std::size_t length = static_cast<unsigned char>(TakeCode(key));
    length = length << 8 | static_cast<unsigned char>(TakeCode(key));
    return TakeText(key, length);
  }
  std::uint64_t value = 0;
  for (unsigned i = kLongBase; i < first; ++i) {
    value = value << 8 | static_cast<unsigned char>(TakeCode(key));
  }
  return std::to_string(value);
}

Point Decode(std::string_view key) {
  Point point;
  point.parts.epoch = TakeNumber(key);
  while (key.front() != kReleaseEnd) point.parts.release.push_back(TakeNumber(key));
  if (point.parts.release.empty()) point.parts.release.push_back("0");
  TakeCode(key);
  if (!TakeSuffix(key, point)) return point;
  for (char code = TakeCode(key); code != kLocalEnd; code = TakeCode(key)) {
    if (code == kLocalNumber) {
      point.parts.local.push_back(TakeNumber(key));
    } else {
      point.parts.local.push_back(TakeText(key, key.find('\0')));
      TakeCode(key);
    }
  }
  point.after_key = !key.empty();
  return point;
}

std::string Increment(std::string_view digits) {
  std::string sum(digits);
  for (std::size_t i = sum.size(); i-- > 0;) {
    if (sum[i] != '9') {
      ++sum[i];
      return sum;
    }
    sum[i] = '0';
  }
  return "1" + sum;
}

std::string Decrement(std::string_view digits) {
  std::string difference(digits);
  for (std::size_t i = difference.size(); i-- > 0;) {
    if (difference[i] != '0') {
      --difference[i];
      break;
    }
    difference[i] = '9';
  }
  std::size_t first = difference.find_first_not_of('0');
  return first == std::string::npos ? "0" : difference.substr(first);
}

std::string AfterLocals(const VersionParts& parts) {
  VersionParts next = parts;
  next.local.clear();
  if (next.dev) {
    next.dev = Increment(*next.dev);
  } else {
    next.post = next.post ? Increment(*next.post) : "0";
    next.dev = "0";
  }
  return Version::FromParts(next).key();
}

std::string AfterPosts(const VersionParts& parts) {
  if (parts.dev || parts.post) return AfterLocals(parts);
  if (!parts.pre_letter.empty()) {
    VersionParts next = parts;
    next.pre_number = Increment(next.pre_number);
    next.dev = "0";
    next.local.clear();
    return Version::FromParts(next).key();
  }
  VersionParts base;
  base.epoch = parts.epoch;
  base.release = parts.release;
  std::string key = Version::FromParts(base).key();
  key.resize(key.size() - 3);  // without post, dev and local codes
  return key + kPostAll;
}

std::string NextPrefix(const std::string& epoch, std::vector<std::string> release) {
  VersionParts next;
  next.epoch = epoch;
  release.back() = Increment(release.back());
  next.release = std::move(release);
  next.dev = "0";
  return Version::FromParts(next).key();
}

}  // namespace imgbuild::specs::version_key
