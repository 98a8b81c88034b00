#include "specs/env/spec.h"

#include <algorithm>

namespace imgbuild::specs {

std::string_view SuiteName(Suite suite) {
  switch (suite) {
    case Suite::kBookworm:
      return "bookworm";
    case Suite::kTrixie:
      return "trixie";
  }
  return "";
}

std::string_view ProfileName(Profile profile) {
  switch (profile) {
    case Profile::kSlim:
      return "slim";
    case Profile::kDistroless:
      return "distroless";
  }
  return "";
}

bool SuiteHasPython(Suite suite, std::string_view version) {
  return version == (suite == Suite::kBookworm ? "3.11" : "3.13");
}

std::size_t BaseImagePath(std::string_view image) {
  for (std::string_view transport : {"oci:", "oci-archive:", "docker-archive:"}) {
    if (image.starts_with(transport)) return transport.size();
  }
  return std::string_view::npos;
}

std::vector<std::uint32_t> ServicePorts(const Spec& spec) {
  std::vector<std::uint32_t> ports;
  for (const Service& service : spec.services) {
    if (service.port) ports.push_back(*service.port);
  }
  std::sort(ports.begin(), ports.end());
  ports.erase(std::unique(ports.begin(), ports.end()), ports.end());
  return ports;
}

bool StartsServices(const Spec& spec) {
  const std::vector<std::string>& command = spec.image.command;
  return !spec.services.empty() && spec.image.entrypoint.empty() &&
         (command.empty() || command.front() == "--with-services");
}

std::vector<std::string> HealthCommand(Health health) {
  return {std::string(kSupervisorPath), "health", health == Health::kReady ? "--ready" : "--live"};
}

}  // namespace imgbuild::specs
