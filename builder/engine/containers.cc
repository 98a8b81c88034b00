#include "builder/engine/containers.h"

#include <algorithm>
#include <cctype>

#include <fmt/core.h>

#include "builder/engine/run_plan.h"
#include "builder/host/program.h"
#include "specs/base/error.h"
#include "specs/base/text.h"

namespace imgbuild::builder {
namespace {

constexpr std::string_view kPrefix = "imgbuild-";

std::string Ask(const Engine& engine, const std::string& what, std::vector<std::string> words) {
  words.insert(words.begin(), engine.program);
  const ProgramAnswer answer = RunProgram({.words = std::move(words)});
  if (answer.status == 0) return answer.output;
  throw specs::Error(fmt::format("{} cannot {}", engine.program, what))
      .Found(fmt::format("exit status {}; what it said is above", answer.status));
}

}  // namespace

std::string ContainerName(const std::string& environment) {
  std::string name(kPrefix);
  for (char c : environment) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.';
    name += plain ? c : '-';
  }
  return name;
}

std::vector<RunningContainer> FindContainers(const Engine& engine) {
  // Of what templates can say, this is what all engines have in common.
  const std::string output = Ask(engine, "list containers",
                                 {"ps", "--filter", fmt::format("label={}", kEnvironmentLabel),
                                  "--format", "{{.Names}}\t{{.Status}}\t{{.Ports}}"});
  std::vector<RunningContainer> containers;
  for (std::string_view line : specs::Split(output, '\n')) {
    const std::vector<std::string_view> words = specs::Split(line, '\t');
    if (words.size() < 3 || !words[0].starts_with(kPrefix)) continue;
    containers.push_back({std::string(words[0]), std::string(words[0].substr(kPrefix.size())),
                          std::string(words[1]), std::string(words[2])});
  }
  std::ranges::sort(containers, {}, &RunningContainer::name);
  return containers;
}

void StopContainer(const Engine& engine, const RunningContainer& container) {
  Ask(engine, "stop " + container.name, {"stop", container.name});
}

}  // namespace imgbuild::builder
