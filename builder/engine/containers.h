// What `imgbuild up` started, and what is left of it.
#pragma once

#include <string>
#include <vector>

#include "builder/engine/engine.h"

namespace imgbuild::builder {

struct FoundContainer {
  std::string name;         // of the container
  std::string environment;  // the name without "imgbuild-"
  std::string status;       // "Up 5 minutes", in the engine's words
  std::string ports;

  // Not one that has ended, or never began: what a machine that lost power leaves behind.
  bool IsUp() const;

  bool operator==(const FoundContainer&) const = default;
};

// "imgbuild-notebook": the container of an environment. Characters that engines do not take in
// names become "-".
std::string ContainerName(const std::string& environment);

// All of them, in order of name. Throws Error where the engine cannot tell.
std::vector<FoundContainer> FindContainers(const Engine& engine);

// The spec's file that it was started from; "" where that is not known.
std::string SpecOf(const Engine& engine, const FoundContainer& container);

// Ends it, which gives its services the time that they may take, and removes it, or waits until the
// engine has: once this returns, its name is free.
void RemoveContainer(const Engine& engine, const FoundContainer& container);

}  // namespace imgbuild::builder
