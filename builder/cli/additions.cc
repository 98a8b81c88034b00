#include "builder/cli/additions.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <system_error>
#include <variant>

#include <fmt/core.h>

#include "builder/host/program.h"
#include "layers/io/file.h"
#include "specs/base/text.h"
#include "specs/python/metadata.h"
#include "specs/python/name.h"

namespace imgbuild::builder {
namespace {

namespace fs = std::filesystem;

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

// "name==version" of each of its lines.
std::set<std::string> KnownPackages(std::string_view packages) {
  std::set<std::string> known;
  for (std::string_view line : specs::Split(packages, '\n')) {
    const auto fields = specs::Split(line, ' ');
    if (fields.size() >= 2) known.insert(fmt::format("{}=={}", fields[0], fields[1]));
  }
  return known;
}

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

std::vector<std::string> WrittenPackages(const RootFolder& written, const std::string& site,
                                         std::string_view known) {
  const std::set<std::string> known_packages = KnownPackages(known);
  std::vector<std::string> added;
  const layers::FileDescriptor folder = written.Find(site);
  if (!folder.valid()) return added;
  std::error_code error;
  for (fs::directory_iterator at(PathOf(folder), error), end; at != end; at.increment(error)) {
    const std::string info = fmt::format("{}/{}", site, at->path().filename().string());
    if (!info.ends_with(".dist-info") || !written.Find(info + "/REQUESTED").valid()) continue;
    const auto parsed = specs::ParseCoreMetadata(written.Read(info + "/METADATA"));
    const auto* metadata = std::get_if<specs::CoreMetadata>(&parsed);
    if (metadata == nullptr) continue;
    const std::string& version = metadata->version_text;
    const std::string plain = specs::NormalizeName(metadata->name);
    if (known_packages.contains(fmt::format("{}=={}", plain, version))) continue;
    added.push_back(fmt::format("{}=={}", metadata->name, version));
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
  std::error_code error;
  const fs::path here = fs::current_path(error);
  const fs::path near = fs::path(file).lexically_proximate(here);
  if (file.empty() || near == "spec.toml") return "";
  const bool below = !near.empty() && *near.begin() != "..";
  return " --spec " + (below ? near.string() : file);
}

}  // namespace imgbuild::builder
