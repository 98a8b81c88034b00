#include "builder/engine/run_plan.h"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "builder/engine/host_folder.h"
#include "specs/oci/image_config.h"

namespace imgbuild::builder {
namespace {

// So that files of the host's folder belong to the image's user, and what is written there to
// whoever runs this program.
void SetUser(const Engine& engine, const RunPlan& plan, ContainerSettings& settings) {
  if (plan.folder.empty()) return;
  if (plan.uid == 0) {
    settings.user = "0:0";
  } else if (engine.kind == EngineKind::kPodman) {
    // Nothing for users without a number, since the mapping needs one; root inside is us outside.
    if (!plan.image_user || *plan.image_user == 0) return;
    settings.userns = fmt::format("keep-id:uid={0},gid={0}", *plan.image_user);
  } else if (plan.image_user != 0u) {
    // A daemon of root's maps nobody: the image serves any uid with gid 0. One that asks for root
    // needs it.
    settings.user = fmt::format("{}:0", plan.uid);
  }
}

void AddGpu(const Engine& engine, std::vector<std::string>& words) {
  if (engine.kind == EngineKind::kPodman) {
    words.insert(words.end(), {"--device", "nvidia.com/gpu=all"});
  } else {
    words.insert(words.end(), {"--gpus", "all"});
  }
}

// The others find the check in the image; podman does not look for it in OCI images.
void AddHealth(const RunPlan& plan, std::vector<std::string>& words) {
  const specs::HealthCheck check{.command = HealthCommand(plan)};
  const auto seconds = [](std::uint64_t count) { return fmt::format("{}s", count); };
  words.insert(words.end(), {"--health-cmd", nlohmann::json(check.command).dump()});
  words.insert(words.end(),
               {"--health-interval", plan.health_timer ? seconds(check.interval_s) : "disable"});
  words.insert(words.end(), {"--health-timeout", seconds(check.timeout_s)});
  words.insert(words.end(), {"--health-start-period", seconds(check.start_s)});
}

}  // namespace

ContainerSettings SettingsFor(const Engine& engine, const RunPlan& plan) {
  ContainerSettings settings;
  settings.env = plan.env;
  SetUser(engine, plan, settings);
  if (!plan.folder.empty()) {
    RequireMountable(plan.folder);
    settings.mounts.push_back({.source = plan.folder,
                               .target = plan.workdir,
                               .options = plan.label == FolderLabel::kRelabel ? "z" : ""});
    if (plan.label == FolderLabel::kDisable) settings.security.emplace_back("label=disable");
  }
  for (const NamedVolume& volume : plan.volumes) {
    settings.mounts.push_back(
        {.source = volume.name, .target = volume.path, .options = "", .is_volume = true});
  }
  for (const PublishedPort& port : plan.ports) {
    settings.publish.push_back(fmt::format("127.0.0.1:{}:{}", port.outside, port.inside));
    if (port.outside == port.inside) continue;
    settings.env[fmt::format("IMGBUILD_PORT_{}", port.inside)] = std::to_string(port.outside);
  }
  if (!plan.environment.empty()) settings.labels[std::string(kEnvironmentLabel)] = plan.environment;
  if (!plan.spec.empty()) settings.labels[std::string(kSpecLabel)] = plan.spec;
  return settings;
}

std::vector<std::string> HealthCommand(const RunPlan& plan, specs::Health health) {
  return plan.supervised ? specs::HealthCommand(health) : std::vector<std::string>();
}

std::vector<std::string> RunArguments(const Engine& engine, const RunPlan& plan) {
  const ContainerSettings settings = SettingsFor(engine, plan);
  std::vector<std::string> words = {engine.program, "run"};
  if (!plan.detached || RemovesDetached(engine)) words.emplace_back("--rm");
  auto add = [&](const char* option, std::string value) {
    words.insert(words.end(), {option, std::move(value)});
  };
  if (plan.detached) {
    words.emplace_back("-d");
  } else if (plan.interactive) {
    words.emplace_back("-it");
  } else if (plan.input) {
    words.emplace_back("-i");
  }
  if (!plan.container.empty()) add("--name", plan.container);
  for (const auto& [name, value] : settings.labels) add("--label", name + "=" + value);
  for (const std::string& port : settings.publish) add("-p", port);
  for (const auto& [name, value] : settings.env) add("-e", name + "=" + value);
  if (!settings.user.empty()) add("--user", settings.user);
  if (!settings.userns.empty()) add("--userns", settings.userns);
  for (const ContainerSettings::Mount& mount : settings.mounts) {
    add("-v", fmt::format("{}:{}{}{}", mount.source, mount.target, mount.options.empty() ? "" : ":",
                          mount.options));
  }
  for (const std::string& option : settings.security) add("--security-opt", option);
  if (plan.stop_seconds > 0) add("--stop-timeout", std::to_string(plan.stop_seconds));
  for (const std::string& name : plan.variables) add("-e", name);
  if (plan.supervised && engine.kind == EngineKind::kPodman) AddHealth(plan, words);
  if (plan.gpu) AddGpu(engine, words);
  words.push_back(plan.image);
  words.insert(words.end(), plan.command.begin(), plan.command.end());
  return words;
}

}  // namespace imgbuild::builder
