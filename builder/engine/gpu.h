// NVIDIA's devices, as podman finds them.
#pragma once

#include <filesystem>
#include <vector>

namespace imgbuild::builder {

// Whether a specification of the Container Device Interface for nvidia.com/gpu lies in one of
// `folders`, which are podman's own: without one, `--device nvidia.com/gpu=all` fails.
bool HasGpuSpecification(const std::vector<std::filesystem::path>& folders = {"/etc/cdi",
                                                                              "/var/run/cdi"});

}  // namespace imgbuild::builder
