// run and up on machines without a container engine.
#pragma once

#include <string>
#include <vector>

#include "builder/cli/container.h"

namespace imgbuild::builder {

// Builds what has changed and runs it from the cache, with `command` in place of what the image
// would start; waits for its end, hands signals on, and returns its exit status. Throws Error where
// a port that a service is to listen on is taken: the network is this machine's.
int RunWithoutEngine(Session& session, const ContainerOptions& options,
                     std::vector<std::string> command);

}  // namespace imgbuild::builder
