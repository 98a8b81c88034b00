// An environment to be run by somebody else's program.
#pragma once

#include <string>

#include "builder/engine/engine.h"
#include "builder/engine/run_plan.h"

namespace imgbuild::builder {

struct Deployment {
  Engine engine;     // whose options the files use where engines differ
  RunPlan plan;      // with the image as a reference, the home and the folder
  std::string spec;  // name of the spec's file, for a comment
};

// "Made by imgbuild generate compose from spec.toml", for a comment at the top.
std::string MadeBy(const Deployment& deployment, std::string_view format);

// `name` as Kubernetes takes it, an RFC 1123 label: lower case, "-" for what is neither letter nor
// digit, at most 63 characters.
std::string LabelName(std::string_view name);
// What it goes by: "imgbuild-notebook".
std::string DeploymentName(const Deployment& deployment);

// A unit of systemd's container generator, podman-systemd.unit(5): NAME.container.
std::string RenderQuadlet(const Deployment& deployment);
// The Compose Specification; as much of it as Docker Compose and podman-compose have in common.
std::string RenderCompose(const Deployment& deployment);
// A claim for each volume and a Deployment with its Service, apps/v1 and v1. The folder of the host
// is a volume here. Probes run inside, so that what they ask need not be published.
std::string RenderKubernetes(const Deployment& deployment);
// devcontainer.json of the Development Container Specification.
std::string RenderDevcontainer(const Deployment& deployment);

}  // namespace imgbuild::builder
