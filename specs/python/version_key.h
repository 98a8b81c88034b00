// Byte strings that sort like PEP 440 versions and the boundaries between them.
//
// A key is: epoch, release numbers without trailing zeros, kReleaseEnd, pre-release code, post
// code, dev code, local segments, kLocalEnd. A number is one byte up to 222, else its length and
// its bytes, most significant first, so that memcmp orders numbers; no number begins with a zero
// byte, which ends lists. No key is a prefix of another, so key + kAfterKey lies directly after it.
#pragma once

#include <string>
#include <string_view>

#include "specs/python/version.h"

namespace imgbuild::specs {

namespace version_key {

inline constexpr char kReleaseEnd = 0;
// Pre-release code; kPreA to kPreRc are followed by a number.
inline constexpr char kPreDevOnly = 1, kPreA = 2, kPreB = 3, kPreRc = 4, kPreNone = 5;
// Post code; kPost is followed by a number. kPostAll ends a boundary after every post-release.
inline constexpr char kPostNone = 1, kPost = 2, kPostAll = '\xFF';
// Dev code; kDev is followed by a number.
inline constexpr char kDev = 1, kDevNone = 2;
// Local segments: kLocalText, the text and a zero byte, or kLocalNumber and a number.
inline constexpr char kLocalEnd = 0, kLocalText = 1, kLocalNumber = 2;
inline constexpr char kAfterKey = 1;
// Above every key.
inline constexpr std::string_view kTop = "\xFF";

// Leading zeros of `digits` do not count; "" is 0.
void AppendNumber(std::string& key, std::string_view digits);

// Reads a number from the front of `key` and moves past it.
std::string TakeNumber(std::string_view& key);

// A key or a boundary taken apart.
struct Point {
  VersionParts parts;        // without trailing zeros of the release: at least "0"
  bool after_posts = false;  // the boundary after every post-release of `parts`
  bool after_key = false;    // directly after `parts`
};

// REQUIRES: a key of a Version, or one of the two boundaries above.
Point Decode(std::string_view key);

// `digits` plus one, in decimal.
std::string Increment(std::string_view digits);
// `digits` minus one. REQUIRES: digits != "0".
std::string Decrement(std::string_view digits);

// The boundary after every V+local, which is the next version that exists: V.post0.dev0 and so on.
std::string AfterLocals(const VersionParts& parts);
// The boundary of ">V": after V, its locals and, unless V is one, its post-releases.
std::string AfterPosts(const VersionParts& parts);
// The first pre-release of the release after `release`: 1.2 -> 1.3.dev0.
std::string NextPrefix(const std::string& epoch, std::vector<std::string> release);

}  // namespace version_key
}  // namespace imgbuild::specs
