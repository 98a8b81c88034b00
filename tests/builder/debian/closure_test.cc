#include "builder/debian/closure.h"

#include "builder/debian/solve.h"
#include "packages_text.h"

namespace imgbuild::builder {
namespace {

using testing::ElementsAre;

std::vector<std::string> Order(const std::string& packages, const std::vector<std::string>& roots) {
  PackageIndex index = IndexOf(packages);
  std::vector<std::string> names;
  for (const ClosurePackage& entry : SolveDebian(index, roots).packages) {
    names.emplace_back(entry.package.name());
  }
  return names;
}

TEST(Closure, PutsDependenciesFirstAndThenGoesByName) {
  std::string packages = Stanza("a", "1", "Depends: z, m\n") + Stanza("z", "1") + Stanza("m", "1") +
                         Stanza("b", "1", "Depends: z\n");
  EXPECT_THAT(Order(packages, {"b", "a"}), ElementsAre("m", "z", "a", "b"));
  EXPECT_THAT(Order(packages, {"a", "b"}), ElementsAre("m", "z", "a", "b"));
}

TEST(Closure, KeepsPreDependsWithinALoop) {
  std::string packages = Stanza("a", "1", "Pre-Depends: z\n") + Stanza("z", "1", "Depends: m\n") +
                         Stanza("m", "1", "Depends: a\n");
  EXPECT_THAT(Order(packages, {"a"}), ElementsAre("z", "a", "m"));
}

TEST(Closure, LeavesOutWhatNoRootReaches) {
  std::string packages = Stanza("a", "1") + Stanza("b", "1");
  PackageIndex index = IndexOf(packages);
  std::vector<ClosureNode> nodes = {{index.Candidates("a")[0], {}, {}},
                                    {index.Candidates("b")[0], {}, {0}}};
  EXPECT_EQ(MakeClosure(nodes, {0}).packages.size(), 1u);
  EXPECT_EQ(MakeClosure(nodes, {1}).packages.size(), 2u);
}

}  // namespace
}  // namespace imgbuild::builder
