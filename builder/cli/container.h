// From a spec to a container of it that can be run.
#pragma once

#include <string>
#include <vector>

#include "builder/cli/lock_session.h"
#include "builder/cli/session.h"
#include "builder/engine/engine.h"
#include "builder/engine/run_plan.h"
#include "layers/image/image.h"
#include "specs/env/loader.h"

namespace imgbuild::builder {

struct ContainerOptions {
  SpecOptions spec;
  LockOptions lock;
  bool services = false;  // not only a command
};

// One environment: its spec as it is built for this machine, and its image in the engine.
struct Container {
  Engine engine;
  specs::LoadedSpec loaded;
  std::string digest;  // of the image
  RunPlan plan;        // on this machine, in the current folder
};

// As it is built, before anything is to run it.
struct BuiltEnvironment {
  specs::LoadedSpec loaded;
  layers::Image image;
  RunPlan plan;  // on this machine, in the current folder; no engine knows its image yet
};

// Whether this machine has an NVIDIA GPU that containers can be given.
bool HasGpu();

// The spec for this machine alone, where it is for several platforms.
specs::LoadedSpec LoadForThisMachine(Session& session, SpecOptions options);

// Builds what has changed.
BuiltEnvironment BuildEnvironment(Session& session, const ContainerOptions& options);

// Builds what has changed and gives it to the engine.
Container PrepareContainer(Session& session, const ContainerOptions& options);

// Chooses where on this machine the plan's ports are; those that `published` has stay there. Says
// which are others outside than inside, unless `published` has them so already.
void PublishPorts(Session& session, RunPlan& plan, const std::vector<PublishedPort>& published);

// Runs it in our place.
[[noreturn]] void Become(Session& session, const Container& container);

}  // namespace imgbuild::builder
