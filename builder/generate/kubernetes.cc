#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "builder/generate/deployment.h"
#include "builder/generate/yaml.h"

namespace imgbuild::builder {
namespace {

using Json = nlohmann::ordered_json;

struct Claim {
  std::string name;
  std::string path;
};

class Manifests {
 public:
  explicit Manifests(const Deployment& deployment)
      : plan_(deployment.plan), name_(DeploymentName(deployment)) {
    // A cluster has no folder of ours: what lies in the workdir lasts in a volume.
    if (!plan_.folder.empty()) claims_.push_back({name_ + "-work", plan_.workdir});
    for (const NamedVolume& volume : plan_.volumes) {
      claims_.push_back({LabelName(volume.name), volume.path});
    }
  }

  std::vector<Json> All() const {
    std::vector<Json> all;
    for (const Claim& claim : claims_) all.push_back(ClaimFor(claim));
    all.push_back(Workload());
    if (!plan_.ports.empty()) all.push_back(Service());
    return all;
  }

 private:
  Json Metadata(const std::string& name) const {
    return {{"name", name}, {"labels", {{"app.kubernetes.io/name", name_}}}};
  }

  Json ClaimFor(const Claim& claim) const {
    return {{"apiVersion", "v1"},
            {"kind", "PersistentVolumeClaim"},
            {"metadata", Metadata(claim.name)},
            {"spec",
             {{"accessModes", {"ReadWriteOnce"}},
              {"resources", {{"requests", {{"storage", "10Gi"}}}}}}}};
  }

  // Keys of the secret that has the workload's name.
  Json Environment() const {
    Json environment = Json::array();
    for (const SecretVariable& secret : plan_.secrets) {
      Json key = {{"name", name_}, {"key", secret.name}, {"optional", !secret.required}};
      environment.push_back(
          {{"name", secret.name}, {"valueFrom", {{"secretKeyRef", std::move(key)}}}});
    }
    return environment;
  }

  Json Probe(specs::Health health) const {
    return {{"exec", {{"command", HealthCommand(plan_, health)}}},
            {"initialDelaySeconds", 2},
            {"periodSeconds", 10},
            {"timeoutSeconds", 10}};
  }

  Json Container() const {
    Json container = {{"name", name_}, {"image", plan_.image}, {"imagePullPolicy", "IfNotPresent"}};
    for (const PublishedPort& port : plan_.ports) {
      container["ports"].push_back({{"containerPort", port.inside}});
    }
    if (Json environment = Environment(); !environment.empty()) {
      container["env"] = std::move(environment);
    }
    for (const Claim& claim : claims_) {
      container["volumeMounts"].push_back({{"name", claim.name}, {"mountPath", claim.path}});
    }
    if (plan_.supervised) {
      container["readinessProbe"] = Probe(specs::Health::kReady);
      container["livenessProbe"] = Probe(specs::Health::kLive);
    }
    if (plan_.gpu) container["resources"] = {{"limits", {{"nvidia.com/gpu", 1}}}};
    Json rights = {{"drop", {"ALL"}}};
    // To become them, to end them, and to give them what is theirs.
    if (plan_.changes_users) rights["add"] = {"CHOWN", "KILL", "SETGID", "SETUID"};
    container["securityContext"] = {{"allowPrivilegeEscalation", false},
                                    {"capabilities", std::move(rights)}};
    return container;
  }

  // Nobody is mapped in a cluster: the image serves its own user. Volumes belong to root's group,
  // as the image's own folders do, and whoever runs here is put into it.
  Json Rights() const {
    Json rights = Json::object();
    if (plan_.image_user) {
      rights["runAsUser"] = *plan_.image_user;
      rights["runAsGroup"] = plan_.image_group;
      // Of a name a cluster could not tell.
      if (*plan_.image_user != 0) rights["runAsNonRoot"] = true;
    }
    rights["fsGroup"] = 0;
    return rights;
  }

  Json Pod() const {
    Json pod = Json::object();
    pod["securityContext"] = Rights();
    if (plan_.stop_seconds > 0) pod["terminationGracePeriodSeconds"] = plan_.stop_seconds;
    pod["containers"] = Json::array({Container()});
    for (const Claim& claim : claims_) {
      pod["volumes"].push_back(
          {{"name", claim.name}, {"persistentVolumeClaim", {{"claimName", claim.name}}}});
    }
    return pod;
  }

  Json Workload() const {
    const Json labels = {{"app.kubernetes.io/name", name_}};
    return {{"apiVersion", "apps/v1"},
            {"kind", "Deployment"},
            {"metadata", Metadata(name_)},
            {"spec",
             {{"replicas", 1},
              // The volumes are one pod's at a time.
              {"strategy", {{"type", "Recreate"}}},
              {"selector", {{"matchLabels", labels}}},
              {"template", {{"metadata", {{"labels", labels}}}, {"spec", Pod()}}}}}};
  }

  Json Service() const {
    Json ports = Json::array();
    for (const PublishedPort& port : plan_.ports) {
      ports.push_back({{"name", fmt::format("port-{}", port.inside)},
                       {"port", port.inside},
                       {"targetPort", port.inside}});
    }
    return {
        {"apiVersion", "v1"},
        {"kind", "Service"},
        {"metadata", Metadata(name_)},
        {"spec", {{"selector", {{"app.kubernetes.io/name", name_}}}, {"ports", std::move(ports)}}}};
  }

  const RunPlan& plan_;
  std::string name_;
  std::vector<Claim> claims_;
};

}  // namespace

std::string RenderKubernetes(const Deployment& deployment) {
  std::string text = "# " + MadeBy(deployment, "kubernetes") + "\n";
  for (const Json& document : Manifests(deployment).All()) text += "---\n" + RenderYaml(document);
  return text;
}

}  // namespace imgbuild::builder
