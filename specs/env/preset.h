// Services by name: what `preset = "..."` stands for, read from the files of specs/presets.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "specs/base/toml.h"

namespace imgbuild::specs {

struct Service;
struct Spec;

// A key of [services.NAME] that a preset knows what to do with.
struct PresetOption {
  std::string key;                         // "base-url"
  std::vector<std::string> arguments;      // added to the command
  std::map<std::string, std::string> env;  // added to the environment
  std::vector<std::string> replaces;       // keys of the preset's service that go
};

struct ServicePreset {
  enum class App { kNone, kModule, kFile };  // "main:app", "app.py"

  std::string name;
  std::string runs;  // "JupyterLab"
  std::uint32_t port = 0;
  App app = App::kNone;
  bool has_page = false;  // a built-in page where neither `app` nor `dir` is given
  // Distributions it runs; each may be had in several ways, the first being what to add:
  // "uvicorn", or "fastapi[standard]", which brings it along.
  std::vector<std::vector<std::string>> needs;
  std::string needs_file;  // a path in the image that files or artifacts fill; or ""
  std::vector<PresetOption> options;
  std::map<std::string, std::string> provides;  // variables for the spec's other services
  std::map<std::string, std::string> watch;     // variables that make it reload what changes
  std::map<std::string, std::string> files;     // absolute paths in the image, and their text
  TomlValue service;                            // keys of [services.NAME], with placeholders
  std::string_view text;                        // the file

  const PresetOption* Option(std::string_view key) const;
};

// Where the built-in page lies in images that serve it.
inline constexpr std::string_view kPageDirectory = "/usr/share/imgbuild/page";

std::span<const ServicePreset> ServicePresets();
// Null if there is none of that name.
const ServicePreset* FindPreset(std::string_view name);
// Those that serve an application: "fasthtml, fastapi, ...".
std::string PresetsWithApp();
// Those with that option.
std::string PresetsWithOption(std::string_view key);

// The table of [services.NAME] over what its preset says, which is filled in from that table and
// stands where `preset` does; the table itself where it names no known one. What the table says
// wins key by key; a probe of another kind replaces the preset's, and `arguments` come after those
// of the preset's command. Values of wrong types are left for the reader to complain about.
// `workdir` is the image's.
TomlValue WithPreset(const TomlValue& service, std::string_view workdir);
std::map<std::string, std::string> ProvidedBy(const ServicePreset& preset, std::uint32_t port);

// Variables that make the services of presets reload what changes in their folders.
std::map<std::string, std::string> WatchEnvironment(const Spec& spec);

// Whether the service shows the built-in page.
bool ServesBuiltInPage(const Service& service);

}  // namespace imgbuild::specs
