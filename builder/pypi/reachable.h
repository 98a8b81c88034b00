// Who needs what in a solution, extra by extra: a project that two roots need, each with extras of
// its own, leads each of them to other packages.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "builder/pypi/python_provider.h"
#include "builder/resolve/solver.h"

namespace imgbuild::builder {

// A part of the user's requirements.
struct Root {
  std::string name;
  std::vector<Dependency> dependencies;
};

// Names of all projects that the root needs, directly or through others.
std::set<std::string> ReachableFrom(const Root& root, const Solution& solution,
                                    const PythonProvider& provider);

}  // namespace imgbuild::builder
