#include "builder/engine/spec_plan.h"

#include <algorithm>

#include "builder/engine/containers.h"
#include "specs/base/text.h"
#include "specs/env/cuda.h"

namespace imgbuild::builder {
namespace {

// What engines give a container to end in when nobody says otherwise.
constexpr std::uint64_t kEngineStopSeconds = 10;

// "1000" and "1000:0", not names.
std::optional<std::uint32_t> NumberOf(std::string_view user) {
  const auto uid = specs::ParseUnsigned(user.substr(0, user.find(':')));
  if (!uid || *uid > UINT32_MAX) return std::nullopt;
  return static_cast<std::uint32_t>(*uid);
}

// "imgbuild-notebook-var-lib-db" for "/var/lib/db".
std::string VolumeName(const RunPlan& plan, std::string_view path) {
  return ContainerName(plan.environment + std::string(path));
}

// They end in order, each in its own time.
std::uint64_t StopSeconds(const specs::Spec& spec) {
  std::uint64_t milliseconds = 0;
  for (const specs::Service& service : spec.services) milliseconds += service.stop_timeout_ms;
  const std::uint64_t seconds = milliseconds / 1000 + 1;
  return seconds > kEngineStopSeconds ? seconds : 0;
}

}  // namespace

RunPlan PlanCommand(const specs::Spec& spec) {
  RunPlan plan;
  plan.workdir = spec.image.workdir;
  plan.image_user = NumberOf(spec.image.user);
  plan.gpu =
      !spec.image.platforms.empty() && specs::CudaInForce(spec.cuda, spec.image.platforms.front());
  for (const specs::Service& service : spec.services) {
    if (!service.token.empty()) plan.secrets.push_back(service.token);
  }
  return plan;
}

RunPlan PlanServices(const specs::Spec& spec) {
  RunPlan plan = PlanCommand(spec);
  plan.environment = spec.image.name;
  plan.container = ContainerName(spec.image.name);
  for (std::uint32_t port : specs::ServicePorts(spec)) plan.ports.push_back({port, port});
  for (const specs::Service& service : spec.services) {
    for (const std::string& path : service.volumes) {
      plan.volumes.push_back({VolumeName(plan, path), path});
    }
  }
  plan.supervised = !spec.services.empty() && spec.image.entrypoint.empty();
  plan.stop_seconds = StopSeconds(spec);
  return plan;
}

void AddHome(RunPlan& plan) {
  plan.volumes.insert(plan.volumes.begin(),
                      {plan.container + "-home", plan.uid == 0 ? "/root" : "/home/user"});
}

}  // namespace imgbuild::builder
