#include "builder/cli/additions.h"

#include <algorithm>
#include <filesystem>

#include <fmt/core.h>

#include "builder/host/program.h"
#include "specs/base/text.h"

namespace imgbuild::builder {
namespace {

// A base image's own packages lie outside of the virtual environment.
constexpr const char* kAdded = R"(import re, sys
from importlib import metadata
known = {tuple(line.split()[:2]) for line in open("/etc/imgbuild/packages")}
inside = [path for path in sys.path if path.startswith(sys.prefix)]
for d in metadata.distributions(path=inside):
    name = d.metadata["Name"]
    plain = re.sub(r"[-_.]+", "-", name).lower()
    if d.read_text("REQUESTED") is not None and (plain, d.version) not in known:
        print(f"{name}=={d.version}")
)";

}  // namespace

std::vector<std::string> AddedPackages(const Engine& engine, const std::string& container) {
  const ProgramAnswer answer =
      RunProgram({.words = {engine.program, "exec", container, "python3", "-c", kAdded},
                  .input = {},
                  .mute = true});
  if (answer.status != 0) return {};
  std::vector<std::string> added;
  for (std::string_view line : specs::Split(answer.output, '\n')) {
    if (!line.empty()) added.emplace_back(line);
  }
  std::ranges::sort(added);
  return added;
}

std::string RenderAdded(const std::vector<std::string>& added, std::string_view spec) {
  std::vector<std::string> names;
  for (const std::string& package : added) names.push_back(package.substr(0, package.find("==")));
  return fmt::format(
      "Installed while it ran, and gone with it: {}\nTo keep them: imgbuild add {}{}",
      specs::Join(added, ", "), specs::Join(names, " "), spec);
}

std::string SpecOption(const std::string& file) {
  namespace fs = std::filesystem;
  std::error_code error;
  const fs::path here = fs::current_path(error);
  const fs::path near = fs::path(file).lexically_proximate(here);
  if (file.empty() || near == "spec.toml") return "";
  const bool below = !near.empty() && *near.begin() != "..";
  return " --spec " + (below ? near.string() : file);
}

}  // namespace imgbuild::builder
