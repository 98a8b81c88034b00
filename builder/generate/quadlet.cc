#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "builder/generate/deployment.h"
#include "specs/oci/image_config.h"

namespace imgbuild::builder {
namespace {

// systemd.unit(5), "Specifiers": a percent sign is written twice. A unit's line ends its value.
std::string EscapeSpecifiers(std::string_view text) {
  std::string escaped;
  for (char c : text) {
    if (c == '\n') {
      escaped += ' ';
    } else {
      escaped.append(c == '%' ? 2 : 1, c);
    }
  }
  return escaped;
}

class Unit {
 public:
  void Section(std::string_view name) { text_ += fmt::format("\n[{}]\n", name); }
  void Line(std::string_view key, std::string_view value) {
    text_ += fmt::format("{}={}\n", key, EscapeSpecifiers(value));
  }
  void Comment(std::string_view text) { text_ += fmt::format("# {}\n", EscapeSpecifiers(text)); }
  std::string Finish() { return std::move(text_); }

 private:
  std::string text_;
};

// A unit does not start without secrets that it names: one that has another source is left to
// whoever wants it.
void WriteSecrets(const RunPlan& plan, Unit& unit) {
  for (const SecretVariable& secret : plan.secrets) {
    const std::string name = fmt::format("{}-{}", plan.container, secret.name);
    const std::string value = fmt::format("{},type=env,target={}", name, secret.name);
    if (secret.required) {
      unit.Comment(fmt::format("podman secret create {} FILE", name));
      unit.Line("Secret", value);
    } else {
      unit.Comment("Secret=" + value);
    }
  }
}

void WriteContainer(const Deployment& deployment, Unit& unit) {
  const RunPlan& plan = deployment.plan;
  const ContainerSettings settings = SettingsFor(deployment.engine, plan);
  unit.Section("Container");
  unit.Line("Image", plan.image);
  unit.Line("ContainerName", plan.container);
  for (const auto& [name, value] : settings.labels) unit.Line("Label", name + "=" + value);
  for (const std::string& port : settings.publish) unit.Line("PublishPort", port);
  for (const auto& [name, value] : settings.env) unit.Line("Environment", name + "=" + value);
  if (!settings.user.empty()) {
    unit.Line("User", settings.user.substr(0, settings.user.find(':')));
    unit.Line("Group", settings.user.substr(settings.user.find(':') + 1));
  }
  if (!settings.userns.empty()) unit.Line("UserNS", settings.userns);
  for (const ContainerSettings::Mount& mount : settings.mounts) {
    unit.Line("Volume", fmt::format("{}:{}{}{}", mount.source, mount.target,
                                    mount.options.empty() ? "" : ":", mount.options));
  }
  if (!settings.security.empty()) unit.Line("SecurityLabelDisable", "true");
  if (plan.gpu) unit.Line("AddDevice", "nvidia.com/gpu=all");
  WriteSecrets(plan, unit);
  if (plan.supervised) {
    const specs::HealthCheck times;
    unit.Line("HealthCmd", nlohmann::json(HealthCommand(plan)).dump());
    unit.Line("HealthInterval", fmt::format("{}s", times.interval_s));
    unit.Line("HealthTimeout", fmt::format("{}s", times.timeout_s));
    unit.Line("HealthStartPeriod", fmt::format("{}s", times.start_s));
  }
}

}  // namespace

std::string RenderQuadlet(const Deployment& deployment) {
  const RunPlan& plan = deployment.plan;
  // Engines stop what takes longer, and systemd has to wait for them.
  const std::uint64_t stop = plan.stop_seconds > 0 ? plan.stop_seconds : 10;
  Unit unit;
  unit.Comment(MadeBy(deployment, "quadlet"));
  unit.Comment("Lies in ~/.config/containers/systemd (or /etc/containers/systemd) as " +
               plan.container + ".container");
  unit.Section("Unit");
  unit.Line("Description", plan.environment + ", an environment of imgbuild");
  unit.Line("Wants", "network-online.target");
  unit.Line("After", "network-online.target");
  WriteContainer(deployment, unit);
  if (plan.stop_seconds > 0) {
    unit.Line("PodmanArgs", fmt::format("--stop-timeout={}", plan.stop_seconds));
  }
  unit.Section("Service");
  unit.Line("Restart", "on-failure");
  unit.Line("TimeoutStartSec", "900");
  unit.Line("TimeoutStopSec", std::to_string(stop + 10));
  unit.Section("Install");
  unit.Line("WantedBy", "default.target");
  return unit.Finish();
}

}  // namespace imgbuild::builder
