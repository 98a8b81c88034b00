// How an environment is to run, as far as its spec decides that.
#pragma once

#include <cstdint>
#include <string>

#include "builder/engine/run_plan.h"
#include "specs/env/spec.h"

namespace imgbuild::builder {

// Ports as themselves, volumes and the image's user. Nothing of the host or of packages: folder,
// label, uid, variables, the image's name and whether it wants a GPU are the caller's.
RunPlan PlanServices(const specs::Spec& spec);

// The same without services: for a command in the environment.
RunPlan PlanCommand(const specs::Spec& spec);

// What the image is called in engines: "localhost/team/notebook:latest".
std::string ImageReference(const specs::Spec& spec);

// The home of the container's user. Root is whoever runs the program as root, and everybody where
// the image asks for it.
std::string HomeOf(const RunPlan& plan);

// RunPlan::uid where no user of this machine runs it, as in a cluster: that of the image, and for
// one without a number somebody who is not root.
std::uint32_t CallerInCluster(const RunPlan& plan);

// Before the other volumes, the one that keeps that home; and where root's services become the
// image's usual user, one for theirs.
void AddHome(RunPlan& plan);

}  // namespace imgbuild::builder
