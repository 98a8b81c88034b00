// What `imgbuild up` started and still runs.
#pragma once

#include <string>
#include <vector>

#include "builder/engine/engine.h"

namespace imgbuild::builder {

struct RunningContainer {
  std::string name;         // of the container
  std::string environment;  // the name without "imgbuild-"
  std::string status;       // "Up 5 minutes", in the engine's words
  std::string ports;

  bool operator==(const RunningContainer&) const = default;
};

// "imgbuild-notebook": the container of an environment. Characters that engines do not take in
// names become "-".
std::string ContainerName(const std::string& environment);

// All of them, in order of name. Throws Error where the engine cannot tell.
std::vector<RunningContainer> FindContainers(const Engine& engine);

// Ends it, which gives its services the time that they may take, and removes it.
void StopContainer(const Engine& engine, const RunningContainer& container);

}  // namespace imgbuild::builder
