#include "builder/engine/run_plan.h"

#include <fmt/core.h>

namespace imgbuild::builder {
namespace {

// So that files of the host's folder belong to the image's user, and what is written there to
// whoever runs this program.
void AddUser(const Engine& engine, const RunPlan& plan, std::vector<std::string>& words) {
  if (plan.folder.empty()) return;
  if (plan.uid == 0) {
    words.insert(words.end(), {"--user", "0:0"});
  } else if (engine.kind == EngineKind::kPodman) {
    // Nothing for users without a number, since the mapping needs one; root inside is us outside.
    if (!plan.image_user || *plan.image_user == 0) return;
    words.insert(words.end(),
                 {"--userns", fmt::format("keep-id:uid={0},gid={0}", *plan.image_user)});
  } else {
    // A daemon of root's maps nobody: the image serves any uid with gid 0.
    words.insert(words.end(), {"--user", fmt::format("{}:0", plan.uid)});
  }
}

void AddMounts(const RunPlan& plan, std::vector<std::string>& words) {
  if (!plan.folder.empty()) {
    const char* label = plan.label == FolderLabel::kRelabel ? ":z" : "";
    words.insert(words.end(), {"-v", fmt::format("{}:{}{}", plan.folder, plan.workdir, label)});
    if (plan.label == FolderLabel::kDisable) {
      words.insert(words.end(), {"--security-opt", "label=disable"});
    }
  }
  if (!plan.home_volume.empty()) {
    words.insert(words.end(), {"-v", fmt::format("{}:{}", plan.home_volume, plan.home)});
  }
}

void AddGpu(const Engine& engine, std::vector<std::string>& words) {
  if (engine.kind == EngineKind::kPodman) {
    words.insert(words.end(), {"--device", "nvidia.com/gpu=all"});
  } else {
    words.insert(words.end(), {"--gpus", "all"});
  }
}

}  // namespace

std::vector<std::string> RunArguments(const Engine& engine, const RunPlan& plan) {
  std::vector<std::string> words = {engine.program, "run", "--rm"};
  if (plan.detached) {
    words.emplace_back("-d");
  } else if (plan.interactive) {
    words.emplace_back("-it");
  }
  if (!plan.container.empty()) words.insert(words.end(), {"--name", plan.container});
  if (!plan.environment.empty()) {
    words.insert(words.end(),
                 {"--label", fmt::format("{}={}", kEnvironmentLabel, plan.environment)});
  }
  for (const PublishedPort& port : plan.ports) {
    words.insert(words.end(), {"-p", fmt::format("127.0.0.1:{}:{}", port.outside, port.inside)});
    if (port.outside == port.inside) continue;
    words.insert(words.end(),
                 {"-e", fmt::format("IMGBUILD_PORT_{}={}", port.inside, port.outside)});
  }
  AddUser(engine, plan, words);
  AddMounts(plan, words);
  for (const std::string& name : plan.variables) words.insert(words.end(), {"-e", name});
  if (plan.gpu) AddGpu(engine, words);
  words.push_back(plan.image);
  words.insert(words.end(), plan.command.begin(), plan.command.end());
  return words;
}

}  // namespace imgbuild::builder
