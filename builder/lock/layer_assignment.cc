#include "builder/lock/layer_assignment.h"

namespace imgbuild::builder {

std::map<std::string, std::string> AssignLayers(const std::vector<LayerRoots>& layers,
                                                const RequiredBy& required_by) {
  std::map<std::string, std::vector<std::string>> needs;
  for (const auto& [name, requirers] : required_by) {
    for (const std::string& requirer : requirers) needs[requirer].push_back(name);
  }
  std::map<std::string, std::string> assigned;
  for (const LayerRoots& layer : layers) {
    std::vector<std::string> pending(layer.packages.begin(), layer.packages.end());
    while (!pending.empty()) {
      std::string name = std::move(pending.back());
      pending.pop_back();
      if (!required_by.contains(name) || !assigned.emplace(name, layer.layer).second) continue;
      const std::vector<std::string>& next = needs[name];
      pending.insert(pending.end(), next.begin(), next.end());
    }
  }
  for (const auto& [name, requirers] : required_by) {
    assigned.emplace(name, layers.empty() ? "python" : layers.front().layer);
  }
  return assigned;
}

}  // namespace imgbuild::builder
