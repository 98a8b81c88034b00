#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "builder/generate/deployment.h"

namespace imgbuild::builder {
namespace {

using Json = nlohmann::ordered_json;

// The options that the file has no keys of its own for.
Json RunOptions(const Engine& engine, const RunPlan& plan, const ContainerSettings& settings) {
  Json options = Json::array();
  for (const auto& [name, value] : settings.labels) {
    options.push_back(fmt::format("--label={}={}", name, value));
  }
  if (!settings.userns.empty()) options.push_back("--userns=" + settings.userns);
  if (!settings.user.empty()) options.push_back("--user=" + settings.user);
  for (const std::string& option : settings.security) options.push_back("--security-opt=" + option);
  if (plan.stop_seconds > 0) options.push_back(fmt::format("--stop-timeout={}", plan.stop_seconds));
  // Others find it in the image.
  if (plan.supervised && engine.kind == EngineKind::kPodman) {
    options.push_back("--health-cmd=" + nlohmann::json(HealthCommand(plan)).dump());
  }
  return options;
}

std::string MountText(const ContainerSettings::Mount& mount, const std::string& source) {
  // "z" is an option of -v alone; --mount calls it relabel.
  return fmt::format("source={},target={},type={}{}", source, mount.target,
                     mount.is_volume ? "volume" : "bind",
                     mount.options == "z" ? ",relabel=shared" : "");
}

}  // namespace

std::string RenderDevcontainer(const Deployment& deployment) {
  const RunPlan& plan = deployment.plan;
  const ContainerSettings settings = SettingsFor(deployment.engine, plan);
  Json file = {{"name", plan.environment}, {"image", plan.image}};
  Json mounts = Json::array();
  for (const ContainerSettings::Mount& mount : settings.mounts) {
    if (mount.is_volume) {
      mounts.push_back(MountText(mount, mount.source));
    } else {
      file["workspaceFolder"] = mount.target;
      file["workspaceMount"] = MountText(mount, "${localWorkspaceFolder}");
    }
  }
  if (!mounts.empty()) file["mounts"] = std::move(mounts);
  for (const PublishedPort& port : plan.ports) file["forwardPorts"].push_back(port.inside);
  for (const SecretVariable& secret : plan.secrets) {
    file["containerEnv"][secret.name] = fmt::format("${{localEnv:{}}}", secret.name);
  }
  if (Json options = RunOptions(deployment.engine, plan, settings); !options.empty()) {
    file["runArgs"] = std::move(options);
  }
  if (plan.gpu) file["hostRequirements"]["gpu"] = "optional";
  // The image's own command starts the services; its user is not to be renumbered.
  file["overrideCommand"] = false;
  file["updateRemoteUserUID"] = false;
  return "// " + MadeBy(deployment, "devcontainer") + "\n" +
         file.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace imgbuild::builder
