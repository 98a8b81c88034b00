#include "builder/resolve/solver.h"

#include <functional>
#include <map>
#include <random>

#include "builder/resolve/explain.h"
#include "universe.h"

namespace imgbuild::builder {
namespace {

Universe RandomUniverse(std::mt19937& random) {
  auto up_to = [&random](unsigned limit) { return random() % limit; };
  const std::vector<std::string> names = {"a", "b", "c", "d", "e", "f"};
  auto line = [&] {
    const std::vector<std::string> ops = {"", ">=", "<", "==", "!=", "<=", ">"};
    std::string op = ops[up_to(7)];
    const std::string version = op.empty() ? "" : std::to_string(1 + up_to(4));
    std::string text = names[up_to(6)] + op + version;
    return up_to(6) == 0 ? "!" + text : text;
  };
  Universe universe;
  for (const std::string& name : names) {
    unsigned versions = up_to(4);
    for (unsigned v = 1; v <= versions; ++v) {
      std::vector<std::string> needs;
      for (unsigned n = up_to(4); n > 0; --n) needs.push_back(line());
      if (up_to(12) == 0) needs.push_back("unavailable: is broken");
      universe.packages[name][std::to_string(v)] = needs;
    }
  }
  for (unsigned n = 1 + up_to(3); n > 0; --n) universe.root.push_back(line());
  return universe;
}

// Asks the provider's own answers, and nothing of the solver, whether a choice is consistent.
bool Consistent(UniverseProvider& provider, const std::map<PackageId, Position>& chosen) {
  for (const auto& [package, version] : chosen) {
    DependenciesAnswer answer = provider.DependenciesOf(package, version);
    if (std::holds_alternative<Unavailable>(answer)) return false;
    const Dependencies& dependencies = std::get<Dependencies>(answer);
    for (const Need& need : dependencies.needs) {
      auto at = chosen.find(need.package);
      if (at == chosen.end() || !need.versions.Contains(at->second)) return false;
    }
    for (const Need& exclude : dependencies.excludes) {
      auto at = chosen.find(exclude.package);
      if (exclude.package != package && at != chosen.end() &&
          exclude.versions.Contains(at->second)) {
        return false;
      }
    }
  }
  return true;
}

// Tries every combination.
bool AnySolution(UniverseProvider& provider) {
  std::map<PackageId, Position> chosen = {{UniverseProvider::kRoot, Slot(0)}};
  std::function<bool(PackageId)> try_from = [&](PackageId package) {
    if (package == 7) return Consistent(provider, chosen);
    if (try_from(package + 1)) return true;
    if (package >= provider.PackageCount()) return false;
    for (Position version : provider.Versions(package)) {
      chosen[package] = version;
      if (try_from(package + 1)) return true;
    }
    chosen.erase(package);
    return false;
  };
  return try_from(1);
}

TEST(Solver, FindsASolutionExactlyWhereThereIsOne) {
  std::mt19937 random(7);
  int solved = 0;
  int refused = 0;
  for (int round = 0; round < 500; ++round) {
    Universe universe = RandomUniverse(random);
    UniverseProvider provider(universe);
    auto result = Solve(provider, UniverseProvider::kRoot, Slot(0));
    if (auto* solution = std::get_if<Solution>(&result)) {
      ++solved;
      std::map<PackageId, Position> chosen(solution->chosen.begin(), solution->chosen.end());
      EXPECT_EQ(chosen.size(), solution->chosen.size());
      ASSERT_TRUE(Consistent(provider, chosen)) << "round " << round;
    } else {
      ++refused;
      ASSERT_FALSE(AnySolution(provider)) << "round " << round;
      EXPECT_THAT(Explain(std::get<NoSolution>(result).derivation, provider),
                  testing::HasSubstr("your requirements cannot be satisfied"));
    }
  }
  EXPECT_GT(solved, 100);
  EXPECT_GT(refused, 100);
}

TEST(Solver, GivesTheSameAnswerEachTime) {
  std::mt19937 random(11);
  for (int round = 0; round < 50; ++round) {
    Universe universe = RandomUniverse(random);
    UniverseProvider first(universe);
    UniverseProvider second(universe);
    auto a = Solve(first, UniverseProvider::kRoot, Slot(0));
    auto b = Solve(second, UniverseProvider::kRoot, Slot(0));
    ASSERT_EQ(a.index(), b.index());
    if (a.index() == 0) {
      EXPECT_EQ(std::get<Solution>(a).chosen, std::get<Solution>(b).chosen);
    } else {
      EXPECT_EQ(Explain(std::get<NoSolution>(a).derivation, first),
                Explain(std::get<NoSolution>(b).derivation, second));
    }
  }
}

// Thousands of versions with the same need are ruled out at once, not one by one.
TEST(Solver, MergesTheNeedsOfManyVersions) {
  Universe universe;
  universe.root = {"a", "b==1"};
  universe.packages["b"] = {{"1", {}}, {"2", {}}};
  for (int v = 1; v <= 400; ++v) universe.packages["a"][std::to_string(v)] = {"b>=2"};
  universe.packages["a"]["0"] = {};
  UniverseProvider provider(universe);
  auto result = Solve(provider, UniverseProvider::kRoot, Slot(0));
  ASSERT_TRUE(std::holds_alternative<Solution>(result));
  EXPECT_THAT(provider.Render(std::get<Solution>(result).chosen),
              testing::ElementsAre("a 0", "b 1"));
}

// A provider that knows which versions share their needs is asked about one of them.
TEST(Solver, AppliesAnAnswerToAllVersionsItIsTrueFor) {
  struct Wide : UniverseProvider {
    using UniverseProvider::UniverseProvider;
    DependenciesAnswer DependenciesOf(PackageId package, Position version) override {
      ++asked;
      DependenciesAnswer answer = UniverseProvider::DependenciesOf(package, version);
      auto* dependencies = std::get_if<Dependencies>(&answer);
      if (dependencies != nullptr && !dependencies->needs.empty() && package != kRoot) {
        dependencies->applies_to = VersionSet::From(Slot(1));
      }
      return answer;
    }
    int asked = 0;
  };
  Universe universe;
  universe.root = {"a", "b==1"};
  universe.packages["b"] = {{"1", {}}, {"2", {}}};
  for (int v = 1; v <= 400; ++v) universe.packages["a"][std::to_string(v)] = {"b>=2"};
  universe.packages["a"]["0"] = {};
  Wide provider(universe);
  auto result = Solve(provider, UniverseProvider::kRoot, Slot(0));
  ASSERT_TRUE(std::holds_alternative<Solution>(result));
  EXPECT_LE(provider.asked, 5);
}

TEST(Solver, PassesOnWhatTheProviderThrows) {
  struct Failing : UniverseProvider {
    using UniverseProvider::UniverseProvider;
    Choice Choose(PackageId, const VersionSet&, const PartialSolutionView&) override {
      throw std::runtime_error("the network is gone");
    }
  };
  Universe universe;
  universe.root = {"a"};
  universe.packages["a"]["1"] = {};
  Failing provider(universe);
  EXPECT_THROW(Solve(provider, UniverseProvider::kRoot, Slot(0)), std::runtime_error);
}

TEST(Solver, ShowsWhatIsDecidedToTheHooks) {
  struct Watching : UniverseProvider {
    using UniverseProvider::UniverseProvider;
    Choice Choose(PackageId package, const VersionSet& allowed,
                  const PartialSolutionView& partial) override {
      EXPECT_EQ(partial.Decided(kRoot), Slot(0));
      EXPECT_EQ(partial.Decided(package), std::nullopt);
      EXPECT_EQ(*partial.Allowed(package), allowed);
      EXPECT_TRUE(partial.Possible(package, allowed));
      EXPECT_EQ(partial.Allowed(12345), nullptr);
      EXPECT_TRUE(partial.Possible(12345, VersionSet::Only(3)));
      return UniverseProvider::Choose(package, allowed, partial);
    }
  };
  Universe universe;
  universe.root = {"a", "b"};
  universe.packages["a"]["1"] = {"b<2"};
  universe.packages["b"] = {{"1", {}}, {"2", {}}};
  Watching provider(universe);
  auto result = Solve(provider, UniverseProvider::kRoot, Slot(0));
  EXPECT_THAT(provider.Render(std::get<Solution>(result).chosen),
              testing::ElementsAre("a 1", "b 1"));
}

}  // namespace
}  // namespace imgbuild::builder
