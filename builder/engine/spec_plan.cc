#include "builder/engine/spec_plan.h"

#include <algorithm>
#include <map>

#include <fmt/core.h>

#include "builder/engine/containers.h"
#include "specs/base/text.h"

namespace imgbuild::builder {
namespace {

// What engines give a container to end in when nobody says otherwise.
constexpr std::uint64_t kEngineStopSeconds = 10;

constexpr const char* kUserHome = "/home/user";
constexpr std::string_view kUserName = "user";
constexpr std::uint32_t kUser = 1000;

std::optional<std::uint32_t> IdOf(std::string_view text) {
  const auto id = specs::ParseUnsigned(text);
  if (!id || *id > UINT32_MAX) return std::nullopt;
  return static_cast<std::uint32_t>(*id);
}

// Of "1000", "1000:0" and "root", not of other names.
std::optional<std::uint32_t> NumberOf(std::string_view user) {
  if (user == "root") return 0u;
  return IdOf(user.substr(0, user.find(':')));
}

// Of "1000:0"; 0 for what names none.
std::uint32_t GroupOf(std::string_view user) {
  const std::size_t colon = user.find(':');
  if (colon == std::string_view::npos) return 0;
  return IdOf(user.substr(colon + 1)).value_or(0);
}

// A base image may have another user of that name.
std::optional<std::uint32_t> ImageUserOf(const specs::Spec& spec) {
  if (spec.image.user == kUserName && !spec.system.image) return kUser;
  return NumberOf(spec.image.user);
}

// "imgbuild-notebook-var-lib-db" for "/var/lib/db".
std::string VolumeName(const RunPlan& plan, std::string_view path) {
  return ContainerName(plan.environment + std::string(path));
}

bool LivesInUserHome(const specs::Service& service) {
  return service.user == kUserName || NumberOf(service.user) == kUser;
}

bool StartsAsRoot(const RunPlan& plan) { return plan.uid == 0 || plan.image_user == 0u; }

// A service may keep the same folder in a volume of its own.
void Keep(RunPlan& plan, std::string_view suffix, const std::string& folder) {
  if (std::ranges::find(plan.volumes, folder, &NamedVolume::path) != plan.volumes.end()) return;
  plan.volumes.insert(plan.volumes.begin(),
                      NamedVolume{fmt::format("{}-{}", plan.container, suffix), folder});
}

// They end in order, each in its own time.
std::uint64_t StopSeconds(const specs::Spec& spec) {
  std::uint64_t milliseconds = 0;
  for (const specs::Service& service : spec.services) milliseconds += service.stop_timeout_ms;
  const std::uint64_t seconds = milliseconds / 1000 + 1;
  return seconds > kEngineStopSeconds ? seconds : 0;
}

// Where engines put secrets: what lies elsewhere may be the image's or a volume's.
constexpr std::string_view kSecretFolder = "/run/secrets/";

// A token is made where nobody gives one; a secret that is missing keeps its service down.
std::vector<SecretVariable> SecretsOf(const specs::Spec& spec) {
  std::map<std::string, bool> required;
  for (const specs::Service& service : spec.services) {
    if (!service.token.empty()) required.emplace(service.token, false);
    for (const auto& [variable, file] : service.secrets) {
      required[variable] |= file.starts_with(kSecretFolder);
    }
  }
  std::vector<SecretVariable> secrets;
  for (const auto& [name, is_required] : required) secrets.push_back({name, is_required});
  return secrets;
}

}  // namespace

RunPlan PlanCommand(const specs::Spec& spec) {
  RunPlan plan;
  plan.workdir = spec.image.workdir;
  plan.image_user = ImageUserOf(spec);
  plan.image_group = GroupOf(spec.image.user);
  plan.secrets = SecretsOf(spec);
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
  plan.supervised = specs::StartsServices(spec);
  plan.changes_users = std::ranges::any_of(
      spec.services, [](const specs::Service& service) { return !service.user.empty(); });
  plan.uses_user_home = std::ranges::any_of(spec.services, LivesInUserHome);
  plan.stop_seconds = StopSeconds(spec);
  return plan;
}

std::string ImageReference(const specs::Spec& spec) {
  const auto& tags = spec.image.tags;
  return fmt::format("localhost/{}:{}", spec.image.name, tags.empty() ? "latest" : tags.front());
}

std::string HomeOf(const RunPlan& plan) { return StartsAsRoot(plan) ? "/root" : kUserHome; }

std::uint32_t CallerInCluster(const RunPlan& plan) { return plan.image_user.value_or(kUser); }

void AddHome(RunPlan& plan) {
  if (plan.uses_user_home && StartsAsRoot(plan)) Keep(plan, "home-user", kUserHome);
  Keep(plan, "home", HomeOf(plan));
}

}  // namespace imgbuild::builder
