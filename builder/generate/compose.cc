#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "builder/generate/deployment.h"
#include "builder/generate/yaml.h"
#include "specs/oci/image_config.h"

namespace imgbuild::builder {
namespace {

using Json = nlohmann::ordered_json;

// Compose Specification, "Interpolation": a dollar is written twice.
std::string EscapeVariables(std::string_view text) {
  std::string escaped;
  for (char c : text) escaped.append(c == '$' ? 2 : 1, c);
  return escaped;
}

Json Environment(const RunPlan& plan, const ContainerSettings& settings) {
  Json environment = Json::object();
  for (const auto& [name, value] : settings.env) environment[name] = EscapeVariables(value);
  // Taken over from whoever starts it, who is told of one that has to be set.
  for (const SecretVariable& secret : plan.secrets) {
    environment[secret.name] = nullptr;
    if (secret.required) {
      environment[secret.name] =
          fmt::format("${{{0}:?a secret, from the environment}}", secret.name);
    }
  }
  return environment;
}

Json Mounts(const ContainerSettings& settings) {
  Json mounts = Json::array();
  for (const ContainerSettings::Mount& mount : settings.mounts) {
    mounts.push_back(EscapeVariables(fmt::format("{}:{}{}{}", mount.source, mount.target,
                                                 mount.options.empty() ? "" : ":", mount.options)));
  }
  return mounts;
}

Json HealthCheck(const RunPlan& plan) {
  Json test = {"CMD"};
  for (const std::string& word : HealthCommand(plan)) test.push_back(EscapeVariables(word));
  const specs::HealthCheck times;
  return {{"test", std::move(test)},
          {"interval", fmt::format("{}s", times.interval_s)},
          {"timeout", fmt::format("{}s", times.timeout_s)},
          {"start_period", fmt::format("{}s", times.start_s)}};
}

Json Gpu() {
  return {
      {"resources",
       {{"reservations",
         {{"devices",
           Json::array({{{"driver", "nvidia"}, {"count", "all"}, {"capabilities", {"gpu"}}}})}}}}}};
}

Json Service(const Deployment& deployment) {
  const RunPlan& plan = deployment.plan;
  const ContainerSettings settings = SettingsFor(deployment.engine, plan);
  Json service = {{"image", EscapeVariables(plan.image)}, {"container_name", plan.container}};
  if (!settings.labels.empty()) service["labels"] = settings.labels;
  if (!settings.publish.empty()) service["ports"] = settings.publish;
  if (Json environment = Environment(plan, settings); !environment.empty()) {
    service["environment"] = std::move(environment);
  }
  if (!settings.user.empty()) service["user"] = settings.user;
  if (!settings.userns.empty()) service["userns_mode"] = settings.userns;
  if (!settings.mounts.empty()) service["volumes"] = Mounts(settings);
  if (!settings.security.empty()) service["security_opt"] = settings.security;
  if (plan.supervised) service["healthcheck"] = HealthCheck(plan);
  if (plan.gpu) service["deploy"] = Gpu();
  if (plan.stop_seconds > 0) service["stop_grace_period"] = fmt::format("{}s", plan.stop_seconds);
  service["restart"] = "unless-stopped";
  return service;
}

}  // namespace

std::string RenderCompose(const Deployment& deployment) {
  const ContainerSettings settings = SettingsFor(deployment.engine, deployment.plan);
  Json file;
  file["services"][DeploymentName(deployment)] = Service(deployment);
  for (const ContainerSettings::Mount& mount : settings.mounts) {
    // By its own name, which `imgbuild up` uses, and not one with the project's before it.
    if (mount.is_volume) file["volumes"][mount.source] = {{"name", mount.source}};
  }
  return "# " + MadeBy(deployment, "compose") + "\n" + RenderYaml(file);
}

}  // namespace imgbuild::builder
