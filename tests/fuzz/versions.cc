// Versions of PEP 440 and of Debian: what parses renders, and the order is total.
#include <vector>

#include "specs/base/text.h"
#include "specs/debian/version.h"
#include "specs/python/version.h"
#include "tests/fuzz/target.h"

namespace imgbuild::fuzz {
namespace {

bool Less(const specs::Version& a, const specs::Version& b) { return a < b; }
bool Less(const specs::DebianVersion& a, const specs::DebianVersion& b) {
  return specs::CompareDebianVersions(a.Render(), b.Render()) < 0;
}

template <typename Version>
void CheckOrder(std::string_view bytes) {
  std::vector<Version> versions;
  for (std::string_view line : specs::Split(bytes, '\n')) {
    if (versions.size() == 8) break;
    const auto version = Version::Parse(line);
    if (!version) continue;
    const auto again = Version::Parse(version->Render());
    Require(again && *again == *version, "Parse(Render()) is the same version");
    versions.push_back(*version);
  }
  for (const Version& a : versions) {
    for (const Version& b : versions) {
      Require(!Less(a, b) || !Less(b, a), "never both a < b and b < a");
      for (const Version& c : versions) {
        Require(!(Less(a, b) && Less(b, c)) || Less(a, c), "the order is transitive");
      }
    }
  }
}

}  // namespace

void Try(std::string_view bytes) {
  CheckOrder<specs::Version>(bytes);
  CheckOrder<specs::DebianVersion>(bytes);
}

}  // namespace imgbuild::fuzz
