// Which named layer each Python package belongs to: the first, in the spec's order, that needs it.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

namespace imgbuild::builder {

struct LayerRoots {
  std::string layer;               // "python", "web", ...
  std::set<std::string> packages;  // normalised names that the spec lists for it
};

// name -> names of what requires it ("spec" stands for the spec itself and is passed over).
using RequiredBy = std::map<std::string, std::set<std::string>>;

// name -> layer, for every key of `required_by`. What a layer lists, and what that needs, goes to
// it unless an earlier layer has it already: an environment built from the first layers alone would
// be whole. What no layer reaches goes to the first.
std::map<std::string, std::string> AssignLayers(const std::vector<LayerRoots>& layers,
                                                const RequiredBy& required_by);

}  // namespace imgbuild::builder
