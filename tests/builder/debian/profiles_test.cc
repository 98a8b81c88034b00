#include "builder/debian/profiles.h"

#include <algorithm>

#include "builder/debian/solve.h"
#include "packages_text.h"

namespace imgbuild::builder {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::IsSupersetOf;
using testing::Not;

TEST(Profiles, BothCarryWhatWheelsExpect) {
  for (specs::Suite suite : {specs::Suite::kBookworm, specs::Suite::kTrixie}) {
    for (specs::Profile profile : {specs::Profile::kSlim, specs::Profile::kDistroless}) {
      EXPECT_THAT(PackagesOf(suite, profile).roots,
                  IsSupersetOf({"python3", "libstdc++6", "libgcc-s1", "ca-certificates", "tzdata",
                                "libc-bin", "base-passwd"}));
    }
  }
}

TEST(Profiles, OnlySlimHasAShell) {
  EXPECT_THAT(PackagesOf(specs::Suite::kTrixie, specs::Profile::kSlim).roots,
              AllOf(Contains("dash"), Contains("bash"), Contains("coreutils")));
  EXPECT_THAT(PackagesOf(specs::Suite::kTrixie, specs::Profile::kDistroless).roots,
              AllOf(Not(Contains("dash")), Not(Contains("bash")), Not(Contains("coreutils"))));
}

TEST(Profiles, BookwormTakesTheEmptyPackageForMergedUsr) {
  EXPECT_THAT(PackagesOf(specs::Suite::kBookworm, specs::Profile::kSlim).roots,
              Contains("usr-is-merged"));
}

TEST(Profiles, WhatIsAssumedIsNotInstalled) {
  PackageIndex index =
      IndexOf(Stanza("ca-certificates", "1", "Depends: openssl, debconf (>= 0.5) | debconf-2.0\n") +
              Stanza("openssl", "1") + Stanza("debconf", "1", "Depends: perl-base\n") +
              Stanza("perl-base", "1"));
  DebianSolveOptions options;
  EXPECT_EQ(SolveDebian(index, {"ca-certificates"}, options).packages.size(), 4u);
  options.assumed = PackagesOf(specs::Suite::kTrixie, specs::Profile::kDistroless).assumed;
  EXPECT_EQ(SolveDebian(index, {"ca-certificates"}, options).packages.size(), 2u);
  EXPECT_EQ(SolveDebian(index, {"ca-certificates", "debconf"}, options).packages.size(), 4u);
}

TEST(Profiles, AptTakesTheEssentialPackagesForGranted) {
  const PackageIndex index = IndexOf(
      Stanza("apt", "2.6") + Stanza("git", "1") + Stanza("perl-base", "1", "Essential: yes\n") +
      Stanza("findutils", "1", "Essential: yes\n") + Stanza("findutils", "2", "Essential: yes\n"));
  EXPECT_THAT(PackagesForApt(index, {"git", "apt"}), ElementsAre("findutils", "perl-base"));
  EXPECT_THAT(PackagesForApt(index, {"apt=2.6"}), ElementsAre("findutils", "perl-base"));
  EXPECT_THAT(PackagesForApt(index, {"git", "apt-utils"}), IsEmpty());
}

}  // namespace
}  // namespace imgbuild::builder
