// The registry that Debian packages, or the program that FAULTS_REGISTRY names, on loopback with a
// folder of its own.
#pragma once

#include <cstdint>
#include <filesystem>

#include <sys/types.h>

namespace imgbuild {

class DockerRegistry {
 public:
  // Whether the program is installed.
  static bool IsThere();

  // Keeps all it has below `folder`. Throws std::runtime_error where it does not start.
  explicit DockerRegistry(const std::filesystem::path& folder);
  ~DockerRegistry();
  DockerRegistry(const DockerRegistry&) = delete;
  DockerRegistry& operator=(const DockerRegistry&) = delete;

  std::uint16_t port() const { return port_; }

 private:
  std::uint16_t port_ = 0;
  pid_t process_ = -1;
};

}  // namespace imgbuild
