#include "builder/engine/engine.h"

#include <optional>
#include <utility>

#include <fmt/core.h>

#include "builder/host/program.h"
#include "specs/base/error.h"

namespace imgbuild::builder {
namespace {

constexpr std::pair<std::string_view, EngineKind> kEngines[] = {
    {"podman", EngineKind::kPodman},
    {"docker", EngineKind::kDocker},
    {"nerdctl", EngineKind::kNerdctl},
};

}  // namespace

Engine FindEngine(const Environment& environment, std::uint32_t uid) {
  const bool as_root = uid == 0;
  if (const auto chosen = environment.Get("IMGBUILD_ENGINE")) {
    const std::string name = chosen->substr(chosen->rfind('/') + 1);
    for (const auto& [known, kind] : kEngines) {
      if (name == known) return {kind, *chosen, as_root};
    }
    throw specs::Error(specs::ErrorKind::kUsage, "IMGBUILD_ENGINE names no known engine")
        .Found(*chosen)
        .Expected("podman, docker or nerdctl, or the path of one");
  }
  const std::string path = environment.Get("PATH").value_or("/usr/bin:/bin");
  for (const auto& [name, kind] : kEngines) {
    if (!FindProgram(name, path).empty()) return {kind, std::string(name), as_root};
  }
  throw specs::Error("no container engine was found")
      .Expected("podman, docker or nerdctl in PATH")
      .Hint("install podman; building images needs none");
}

std::uint32_t CallerOf(const Engine& engine, std::uint32_t uid) {
  switch (engine.kind) {
    case EngineKind::kPodman:
      return uid;
    case EngineKind::kNerdctl:
      return 0;  // it talks to nobody else's containerd
    case EngineKind::kDocker:
      break;
  }
  if (uid == 0) return 0;
  const ProgramAnswer answer =
      RunProgram({.words = {engine.program, "info", "--format", "{{.SecurityOptions}}"},
                  .input = {},
                  .mute = true});
  return answer.output.find("name=rootless") == std::string::npos ? uid : 0;
}

bool RemovesDetached(const Engine& engine) { return engine.kind != EngineKind::kNerdctl; }

}  // namespace imgbuild::builder
