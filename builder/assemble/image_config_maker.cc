#include "builder/assemble/image_config_maker.h"

#include <algorithm>

#include <fmt/core.h>

#include "builder/assemble/image_files.h"
#include "builder/assemble/service_table_writer.h"

namespace imgbuild::builder {

specs::ImageConfig MakeImageConfig(const specs::Spec& spec, const specs::Lock& lock,
                                   const specs::Platform& platform) {
  specs::ImageConfig config;
  config.platform = platform;
  for (const specs::LockedSuite& suite : lock.suites) {
    config.created = std::max(config.created, suite.date);
  }
  config.user = spec.image.user;
  config.exposed_ports = ServicePorts(spec);
  std::map<std::string, std::string> env = {
      {"PATH", fmt::format("{}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                           kVenvPath)},
      {"VIRTUAL_ENV", std::string(kVenvPath)},
      {"LANG", "C.UTF-8"}};
  for (const auto& [name, value] : spec.image.env) env[name] = value;
  config.env.assign(env.begin(), env.end());
  config.entrypoint = spec.image.entrypoint;
  if (config.entrypoint.empty()) config.entrypoint = {std::string(kSupervisorPath)};
  config.command = spec.image.command;
  config.workdir = spec.image.workdir;
  config.labels = spec.image.labels;
  config.labels.emplace("org.opencontainers.image.title", spec.image.name);
  return config;
}

}  // namespace imgbuild::builder
