// Ports of the host's loopback.
#pragma once

#include <cstdint>
#include <vector>

#include "builder/engine/run_plan.h"

namespace imgbuild::builder {

// Whether nothing listens on 127.0.0.1:`port` now.
bool IsPortFree(std::uint32_t port);

// Each port where `published` has it, else as itself where it is free, else as one that the kernel
// has free; all of them different. What published it before is gone, and is about to come back.
std::vector<PublishedPort> ChoosePorts(const std::vector<std::uint32_t>& inside,
                                       const std::vector<PublishedPort>& published = {});

}  // namespace imgbuild::builder
