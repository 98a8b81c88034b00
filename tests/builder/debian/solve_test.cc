#include "builder/debian/solve.h"

#include <algorithm>

#include "packages_text.h"
#include "specs/base/error.h"

namespace imgbuild::builder {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// "name version" of each chosen package, by name.
std::vector<std::string> Chosen(const std::string& packages, const std::vector<std::string>& roots,
                                const DebianSolveOptions& options = {}) {
  PackageIndex index = IndexOf(packages);
  std::vector<std::string> chosen;
  for (const ClosurePackage& entry : SolveDebian(index, roots, options).packages) {
    chosen.push_back(std::string(entry.package.name()) + " " +
                     std::string(entry.package.version()));
  }
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

std::string Refusal(const std::string& packages, const std::vector<std::string>& roots) {
  PackageIndex index = IndexOf(packages);
  try {
    SolveDebian(index, roots);
  } catch (const specs::Error& error) {
    EXPECT_EQ(error.kind(), specs::ErrorKind::kUnresolvable);
    return error.message();
  }
  return "";
}

TEST(SolveDebian, TakesDependsAndPreDependsButNoRecommends) {
  std::string packages = Stanza("a", "1", "Depends: b\nPre-Depends: c\nRecommends: d\n") +
                         Stanza("b", "1") + Stanza("c", "1") + Stanza("d", "1");
  EXPECT_THAT(Chosen(packages, {"a"}), ElementsAre("a 1", "b 1", "c 1"));
}

TEST(SolveDebian, TakesTheNewestVersionOverAllSources) {
  PackageIndex index =
      PackageIndex::FromText({{"security", Stanza("a", "1.0-1+deb12u2")},
                              {"main", Stanza("a", "1.0-1") + Stanza("b", "1", "Depends: a\n")}},
                             specs::Architecture::kAmd64);
  Closure closure = SolveDebian(index, {"b"});
  EXPECT_EQ(closure.Find("a")->package.version(), "1.0-1+deb12u2");
  EXPECT_EQ(closure.Find("a")->package.source(), "security");
}

TEST(SolveDebian, PrefersTheFirstAlternative) {
  std::string packages = Stanza("a", "1", "Depends: x | y\n") + Stanza("x", "1") + Stanza("y", "1");
  EXPECT_THAT(Chosen(packages, {"a"}), ElementsAre("a 1", "x 1"));
}

TEST(SolveDebian, LetsAnAlternativeThatIsThereAnywayWin) {
  std::string packages = Stanza("a", "1", "Depends: x | y, b\n") +
                         Stanza("b", "1", "Depends: c\n") + Stanza("c", "1", "Depends: y\n") +
                         Stanza("x", "1") + Stanza("y", "1");
  EXPECT_THAT(Chosen(packages, {"a"}), ElementsAre("a 1", "b 1", "c 1", "y 1"));
}

TEST(SolveDebian, PassesOverAnAlternativeThatCannotBeHad) {
  std::string packages =
      Stanza("a", "1", "Depends: x (>= 2) | w | y\n") + Stanza("x", "1") + Stanza("y", "1");
  EXPECT_THAT(Chosen(packages, {"a"}), ElementsAre("a 1", "y 1"));
}

TEST(SolveDebian, GoesBackWhereAnAlternativeLeadsNowhere) {
  std::string packages = Stanza("a", "1", "Depends: x | y, b\n") +
                         Stanza("x", "1", "Depends: z\n") + Stanza("z", "1", "Conflicts: b\n") +
                         Stanza("b", "1") + Stanza("y", "1");
  EXPECT_THAT(Chosen(packages, {"a"}), ElementsAre("a 1", "b 1", "y 1"));
}

TEST(SolveDebian, PrefersTheRealPackageAndThenPriorityAmongProviders) {
  std::string packages = Stanza("a", "1", "Depends: awk, mta\n") +
                         Stanza("gawk", "1", "Provides: awk\nPriority: optional\n") +
                         Stanza("mawk", "1", "Provides: awk\nPriority: required\n") +
                         Stanza("exim", "1", "Provides: mta\nPriority: important\n") +
                         Stanza("mta", "1", "Priority: optional\n");
  EXPECT_THAT(Chosen(packages, {"a"}), ElementsAre("a 1", "mawk 1", "mta 1"));
}

TEST(SolveDebian, MeetsVersionedRelationsByVersionedProvidesOnly) {
  std::string packages =
      Stanza("a", "1", "Depends: api (>= 3)\n") + Stanza("p", "1", "Provides: api\n") +
      Stanza("q", "1", "Provides: api (= 2)\n") + Stanza("r", "1", "Provides: api (= 3.1)\n");
  EXPECT_THAT(Chosen(packages, {"a"}), ElementsAre("a 1", "r 1"));
}

TEST(SolveDebian, ExemptsAProviderFromItsOwnConflict) {
  std::string packages = Stanza("exim", "1", "Provides: mta\nConflicts: mta\n") +
                         Stanza("postfix", "1", "Provides: mta\nConflicts: mta\n") +
                         Stanza("cron", "1", "Depends: exim | mta\n");
  EXPECT_THAT(Chosen(packages, {"exim"}), ElementsAre("exim 1"));
  EXPECT_THAT(Chosen(packages, {"postfix", "cron"}), ElementsAre("cron 1", "postfix 1"));
  EXPECT_THAT(Refusal(packages, {"postfix", "exim"}), HasSubstr("conflicts with"));
}

TEST(SolveDebian, HonoursBreaks) {
  std::string packages =
      Stanza("a", "2", "Breaks: b (<< 2)\n") + Stanza("b", "1") + Stanza("b", "2");
  EXPECT_THAT(Chosen(packages, {"a", "b"}), ElementsAre("a 2", "b 2"));
  EXPECT_THAT(Refusal(packages, {"a", "b=1"}), HasSubstr("cannot be satisfied"));
}

TEST(SolveDebian, TakesAnyOnlyFromPackagesThatAllowIt) {
  std::string packages =
      Stanza("a", "1", "Depends: py:any\n") + Stanza("b", "1", "Depends: lib:any\n") +
      Stanza("c", "1", "Depends: lib:i386\n") + Stanza("py", "1", "Multi-Arch: allowed\n") +
      Stanza("lib", "1", "Multi-Arch: same\n");
  EXPECT_THAT(Chosen(packages, {"a"}), ElementsAre("a 1", "py 1"));
  EXPECT_THAT(Refusal(packages, {"b"}), HasSubstr("lib:any"));
  EXPECT_THAT(Refusal(packages, {"c"}), HasSubstr("lib:i386"));
}

TEST(SolveDebian, KeepsLockedVersionsAndAlternatives) {
  std::string packages = Stanza("a", "1", "Depends: x | y\n") +
                         Stanza("a", "2", "Depends: x | y\n") + Stanza("x", "1") +
                         Stanza("y", "1") + Stanza("y", "2");
  DebianSolveOptions options;
  options.preferences = {{"a", {"1"}}, {"y", {"1"}}, {"gone", {"7"}}};
  options.known = {"a", "y", "gone"};
  EXPECT_THAT(Chosen(packages, {"a"}, options), ElementsAre("a 1", "y 1"));
  options.preferences.erase("y");
  EXPECT_THAT(Chosen(packages, {"a"}, options), ElementsAre("a 1", "y 2"));
  options.preferences["a"] = {"0.5"};
  EXPECT_THAT(Chosen(packages, {"a"}, options), ElementsAre("a 2", "y 2"));
  options.preferences["a"] = {"0.5", "1", "2"};
  EXPECT_THAT(Chosen(packages, {"a"}, options), ElementsAre("a 1", "y 2"));
  options.known = {};
  EXPECT_THAT(Chosen(packages, {"a"}, options), ElementsAre("a 1", "x 1"));
}

TEST(SolveDebian, TakesAVirtualRootWithOneProvider) {
  std::string packages =
      Stanza("p", "1", "Provides: one, two\n") + Stanza("q", "1", "Provides: two\n");
  EXPECT_THAT(Chosen(packages, {"one"}), ElementsAre("p 1"));
  EXPECT_EQ(Refusal(packages, {"two"}), "two is a virtual package: name one of p, q");
}

TEST(SolveDebian, TakesTheRootItselfEvenWhereAnotherOneProvidesIt) {
  std::string packages =
      Stanza("usrmerge", "1", "Provides: usr-is-merged\n") + Stanza("usr-is-merged", "1");
  EXPECT_THAT(Chosen(packages, {"usrmerge", "usr-is-merged"}),
              ElementsAre("usr-is-merged 1", "usrmerge 1"));
}

TEST(SolveDebian, NamesEveryUnknownRootWithItsNeighbours) {
  std::string packages = Stanza("python3", "3.11") + Stanza("git", "1");
  std::string refusal = Refusal(packages, {"pyhton3", "git=2"});
  EXPECT_THAT(refusal, HasSubstr("there is no package pyhton3: did you mean \"python3\"?"));
  EXPECT_THAT(refusal, HasSubstr("there is no version 2 of git, only 1"));
}

TEST(SolveDebian, ExplainsInSentences) {
  std::string packages = Stanza("a", "1", "Depends: b | c\n") + Stanza("b", "1", "Depends: d\n") +
                         Stanza("c", "1", "Depends: nothing (>= 2)\n") +
                         Stanza("d", "1", "Conflicts: e\n") + Stanza("e", "1");
  EXPECT_EQ(
      Refusal(packages, {"a", "e"}),
      "these Debian packages do not go together:\n"
      "Because b | c can be met by c and c depends on nothing (>= 2), c (for b | c) depends on "
      "nothing (>= 2).\n"
      "And because no package in the archive satisfies nothing (>= 2), c (for b | c) cannot be "
      "used.\n"
      "And because a depends on b | c and b | c can be met by b, a depends on b.\n"
      "And because b depends on d and d conflicts with e, a and e are incompatible.\n"
      "And because your requirements need a and e, your requirements cannot be satisfied.");
}

TEST(SolveDebian, SaysWhoNeedsWhat) {
  std::string packages = Stanza("a", "1", "Depends: x | y, c\n") +
                         Stanza("c", "1", "Depends: y\n") + Stanza("x", "1") + Stanza("y", "1");
  PackageIndex index = IndexOf(packages);
  Closure closure = SolveDebian(index, {"a", "c"});
  EXPECT_THAT(closure.Find("a")->required_by, ElementsAre("spec"));
  EXPECT_THAT(closure.Find("c")->required_by, ElementsAre("a", "spec"));
  EXPECT_THAT(closure.Find("y")->required_by, ElementsAre("a", "c"));
  EXPECT_EQ(closure.Find("x"), nullptr);
}

TEST(SolveDebian, SolvesALongChain) {
  std::string packages;
  for (int i = 0; i < 3000; ++i) {
    packages += Stanza("p" + std::to_string(i), "1", "Depends: p" + std::to_string(i + 1) + "\n");
  }
  packages += Stanza("p3000", "1", "Depends: p0\n");
  PackageIndex index = IndexOf(packages);
  EXPECT_EQ(SolveDebian(index, {"p5"}).packages.size(), 3001u);
}

}  // namespace
}  // namespace imgbuild::builder
