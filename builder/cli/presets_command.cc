// imgbuild presets: services by name, and what they stand for.
#include <algorithm>
#include <cstdio>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "builder/cli/command_line.h"
#include "builder/cli/commands.h"
#include "specs/base/error.h"
#include "specs/base/text.h"
#include "specs/env/preset.h"

namespace imgbuild::builder {
namespace {

using specs::ServicePreset;

// "fastapi, uvicorn", or the file it runs.
std::vector<std::string> Needs(const ServicePreset& preset) {
  std::vector<std::string> needs;
  for (const std::vector<std::string>& ways : preset.needs) needs.push_back(ways.front());
  if (!preset.needs_file.empty()) needs.push_back(preset.needs_file);
  return needs;
}

nlohmann::ordered_json Json(const ServicePreset& preset) {
  nlohmann::ordered_json json = {{"name", preset.name},
                                 {"runs", preset.runs},
                                 {"port", preset.port},
                                 {"needs", Needs(preset)}};
  return json;
}

void List(const GlobalOptions& options) {
  for (const ServicePreset& preset : specs::ServicePresets()) {
    if (options.style == ReportStyle::kJson) {
      fmt::print("{}\n", Json(preset).dump());
    } else {
      fmt::print("{:<12} {:>5}  {:<55} {}\n", preset.name, preset.port, preset.runs,
                 specs::Join(Needs(preset), ", "));
    }
  }
}

void Show(const GlobalOptions& options, const std::string& name) {
  const ServicePreset* preset = specs::FindPreset(name);
  if (preset == nullptr) {
    std::vector<std::string> names;
    for (const ServicePreset& one : specs::ServicePresets()) names.push_back(one.name);
    throw specs::Error(specs::ErrorKind::kUsage, fmt::format("there is no preset \"{}\"", name))
        .Expected(specs::Join(names, ", "))
        .Hint(specs::DidYouMean(name, names));
  }
  if (options.style != ReportStyle::kJson) {
    fmt::print("{}", preset->text);
    return;
  }
  nlohmann::ordered_json json = Json(*preset);
  json["text"] = preset->text;
  fmt::print("{}\n", json.dump());
}

int Presets(const GlobalOptions& options, const std::string& name) {
  if (name.empty()) {
    List(options);
  } else {
    Show(options, name);
  }
  return 0;
}

}  // namespace

void AddPresetsCommand(Command app, const GlobalOptions& options, RunCommand& run) {
  auto name = std::make_shared<std::string>();
  Command command = app.AddCommand("presets", "Services by name, with port and what they need");
  command.AddOption("name", *name, "Print this one as it is written").TypeName("NAME");
  command.WhenGiven(
      [&options, &run, name] { run = [&options, name] { return Presets(options, *name); }; });
}

}  // namespace imgbuild::builder
