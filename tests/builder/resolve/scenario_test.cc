// Walks every universe of tests/scenarios/resolve.
#include <filesystem>
#include <fstream>
#include <sstream>

#include "builder/resolve/explain.h"
#include "builder/resolve/solver.h"
#include "universe.h"

namespace imgbuild::builder {
namespace {

std::vector<std::string> Scenarios() {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator("tests/scenarios/resolve")) {
    if (entry.path().extension() == ".toml") files.push_back(entry.path().stem().string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

TEST(ResolveScenarios, HoldAsWritten) {
  std::vector<std::string> scenarios = Scenarios();
  ASSERT_GE(scenarios.size(), 10u);
  for (const std::string& name : scenarios) {
    SCOPED_TRACE(name);
    std::ifstream file("tests/scenarios/resolve/" + name + ".toml");
    std::stringstream text;
    text << file.rdbuf();
    Universe universe = ParseUniverse(text.str(), name);
    EXPECT_NE(universe.description, "");
    UniverseProvider provider(universe);
    auto result = Solve(provider, UniverseProvider::kRoot, Slot(0));
    if (const auto* solution = std::get_if<Solution>(&result)) {
      EXPECT_EQ(provider.Render(solution->chosen), universe.solution);
      EXPECT_EQ(universe.explanation, "");
    } else {
      EXPECT_EQ(Explain(std::get<NoSolution>(result).derivation, provider) + "\n",
                universe.explanation);
      EXPECT_TRUE(universe.solution.empty());
    }
  }
}

}  // namespace
}  // namespace imgbuild::builder
