#include "builder/engine/containers.h"

#include <algorithm>
#include <cctype>
#include <chrono>
#include <optional>
#include <thread>

#include <fmt/core.h>

#include "builder/engine/run_plan.h"
#include "builder/host/program.h"
#include "specs/base/error.h"
#include "specs/base/text.h"

namespace imgbuild::builder {
namespace {

constexpr std::string_view kPrefix = "imgbuild-";

// How long an engine may take to remove a container by itself.
constexpr std::chrono::seconds kRemoval(20);
constexpr std::chrono::milliseconds kPause(50);

std::string Ask(const Engine& engine, const std::string& what, std::vector<std::string> words) {
  words.insert(words.begin(), engine.program);
  const ProgramAnswer answer = RunProgram({.words = std::move(words)});
  if (answer.status == 0) return answer.output;
  throw specs::Error(fmt::format("{} cannot {}", engine.program, what))
      .Found(fmt::format("exit status {}; what it said is above", answer.status));
}

std::optional<FoundContainer> Find(const Engine& engine, const std::string& name) {
  for (FoundContainer& container : FindContainers(engine)) {
    if (container.name == name) return std::move(container);
  }
  return std::nullopt;
}

// Whoever ran it in the foreground may be faster.
void Remove(const Engine& engine, const std::string& name) {
  try {
    Ask(engine, "remove " + name, {"rm", "-f", name});
  } catch (const specs::Error&) {
    if (Find(engine, name)) throw;
  }
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

bool FoundContainer::IsUp() const {
  constexpr std::string_view kDown[] = {"Created", "Configured", "Initialized", "Exited",
                                        "Stopped", "Dead",       "Removing",    "Removal"};
  return std::ranges::none_of(kDown,
                              [&](std::string_view word) { return status.starts_with(word); });
}

std::vector<FoundContainer> FindContainers(const Engine& engine) {
  // Of what templates can say, this is what all engines have in common.
  const std::string output =
      Ask(engine, "list containers",
          {"ps", "-a", "--filter", fmt::format("label={}", kEnvironmentLabel), "--format",
           "{{.Names}}\t{{.Status}}\t{{.Ports}}"});
  std::vector<FoundContainer> containers;
  for (std::string_view line : specs::Split(output, '\n')) {
    const std::vector<std::string_view> words = specs::Split(line, '\t');
    if (words.size() < 3 || !words[0].starts_with(kPrefix)) continue;
    containers.push_back({std::string(words[0]), std::string(words[0].substr(kPrefix.size())),
                          std::string(words[1]), std::string(words[2])});
  }
  std::ranges::sort(containers, {}, &FoundContainer::name);
  return containers;
}

std::string SpecOf(const Engine& engine, const FoundContainer& container) {
  const std::string format = fmt::format("{{{{index .Config.Labels \"{}\"}}}}", kSpecLabel);
  const std::string answer =
      Ask(engine, "inspect " + container.name, {"inspect", "--format", format, container.name});
  const std::string_view file = specs::Trim(answer);
  return file.starts_with('/') ? std::string(file) : "";
}

void RemoveContainer(const Engine& engine, const FoundContainer& container) {
  if (container.IsUp()) Ask(engine, "stop " + container.name, {"stop", container.name});
  // Engines remove in the background what was started with --rm.
  const bool goes = container.IsUp() && RemovesDetached(engine);
  const auto end = std::chrono::steady_clock::now() + kRemoval;
  for (;;) {
    const std::optional<FoundContainer> left = Find(engine, container.name);
    if (!left) return;
    const bool late = std::chrono::steady_clock::now() > end;
    if (late || (!left->IsUp() && !goes)) {
      Remove(engine, container.name);
      return;
    }
    std::this_thread::sleep_for(kPause);
  }
}

}  // namespace imgbuild::builder
