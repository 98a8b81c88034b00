#include "builder/pypi/reachable.h"

#include <map>
#include <utility>

namespace imgbuild::builder {

std::set<std::string> ReachableFrom(const Root& root, const Solution& solution,
                                    const PythonProvider& provider) {
  using Node = std::pair<std::string, std::string>;  // project and extra
  std::map<Node, std::pair<PackageId, Position>> chosen;
  for (const auto& [id, version] : solution.chosen) {
    const PythonProvider::Package& package = provider.package(id);
    chosen[{package.project, package.extra}] = {id, version};
  }
  std::set<Node> seen;
  std::vector<Node> pending;
  auto visit = [&](const std::vector<Dependency>& dependencies) {
    for (const Dependency& dependency : dependencies) {
      pending.emplace_back(dependency.project, "");
      for (const std::string& extra : dependency.extras) {
        pending.emplace_back(dependency.project, extra);
      }
    }
  };
  visit(root.dependencies);
  std::set<std::string> projects;
  while (!pending.empty()) {
    const Node node = std::move(pending.back());
    pending.pop_back();
    const auto found = chosen.find(node);
    if (found == chosen.end() || !seen.insert(node).second) continue;
    projects.insert(node.first);
    visit(provider.Needs(found->second.first, found->second.second));
  }
  return projects;
}

}  // namespace imgbuild::builder
