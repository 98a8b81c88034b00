#include "specs/env/canonical.h"

#include <algorithm>
#include <filesystem>

#include <fmt/core.h>

#include "specs/base/key.h"
#include "specs/base/toml.h"
#include "specs/env/loader.h"
#include "specs/env/preset.h"

namespace imgbuild::specs {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> AllRelative(std::vector<std::string> paths, std::string_view folder) {
  for (std::string& path : paths) path = CanonicalPath(path, folder);
  return paths;
}

std::string InlineTable(const std::map<std::string, std::string>& map) {
  std::string text;
  for (const auto& [key, value] : map) {
    text += fmt::format("{}{} = {}", text.empty() ? " " : ", ", TomlKey(key), TomlQuote(value));
  }
  return "{" + text + (text.empty() ? "}" : " }");
}

// Lines of TOML; values that say nothing are left out.
class Writer {
 public:
  void Header(std::string_view header) { text_ += fmt::format("\n{}\n", header); }
  void Line(std::string_view key, std::string_view value) {
    text_ += fmt::format("{} = {}\n", key, value);
  }
  void Text(std::string_view key, std::string_view value) { Line(key, TomlQuote(value)); }
  void TextIfAny(std::string_view key, std::string_view value) {
    if (!value.empty()) Text(key, value);
  }
  void List(std::string_view key, const std::vector<std::string>& values) {
    if (!values.empty()) Line(key, TomlArray(values));
  }
  void Map(std::string_view key, const std::map<std::string, std::string>& map) {
    if (!map.empty()) Line(key, InlineTable(map));
  }
  void Number(std::string_view key, std::uint64_t value) { Line(key, std::to_string(value)); }
  void Flag(std::string_view key, bool value) { Line(key, value ? "true" : "false"); }
  void Mode(std::string_view key, std::uint32_t mode) { Text(key, fmt::format("{:04o}", mode)); }
  std::string Finish() { return std::move(text_); }

 private:
  std::string text_;
};

std::vector<std::string> PlatformNames(const Spec& spec) {
  std::vector<std::string> names;
  for (const Platform& platform : spec.image.platforms) names.push_back(platform.Render());
  std::sort(names.begin(), names.end());
  return names;
}

void WriteImage(Writer& out, const Spec& spec) {
  const ImageSection& image = spec.image;
  out.Header("[image]");
  out.Text("name", image.name);
  out.List("tags", image.tags);
  out.List("platforms", PlatformNames(spec));
  out.Map("env", image.env);
  out.Map("labels", image.labels);
  out.Map("annotations", image.annotations);
  out.Text("workdir", image.workdir);
  out.Text("user", image.user);
  out.List("entrypoint", image.entrypoint);
  out.List("command", image.command);
  out.Number("max-layer-size", image.max_layer_size);
  out.List("allow-missing-libraries", image.allow_missing_libraries);
}

std::vector<std::string> Packages(const PythonLayer& layer, std::string_view folder) {
  std::vector<std::string> packages = layer.packages;
  for (std::string& package : packages) {
    if (IsLocalWheel(package)) package = CanonicalPath(package, folder);
  }
  return packages;
}

void WritePython(Writer& out, const PythonSection& python, std::string_view folder) {
  static constexpr std::string_view kCompile[] = {"default", "all", "none"};
  out.Header("[python]");
  out.Text("version", python.version);
  if (!python.layers.empty()) out.List("packages", Packages(python.layers[0], folder));
  out.List("constraints", python.constraints);
  out.Text("compile", kCompile[static_cast<std::size_t>(python.compile)]);
  if (python.exclude_newer) out.Text("exclude-newer", *python.exclude_newer);
  out.Text("prereleases", python.allow_prereleases ? "allow" : "if-necessary-or-explicit");
  for (std::size_t i = 1; i < python.layers.size(); ++i) {
    out.Header("[[python.layers]]");
    out.Text("name", python.layers[i].name);
    out.Line("packages", TomlArray(Packages(python.layers[i], folder)));
  }
  for (const PythonIndex& index : python.indexes) {
    out.Header("[[python.indexes]]");
    out.Text("name", index.name);
    out.List("packages", index.packages);
  }
}

void WriteFiles(Writer& out, const Spec& spec, std::string_view folder) {
  for (const FilesEntry& entry : spec.files) {
    out.Header("[[files]]");
    out.Text("from", CanonicalPath(entry.from, folder));
    out.Text("to", entry.to);
    out.List("exclude", entry.exclude);
    if (entry.mode) out.Mode("mode", *entry.mode);
    out.Text("owner", entry.owner);
  }
  // An artifact is what its hash says; its URL may name hosts and hold tokens.
  for (const ArtifactEntry& entry : spec.artifacts) {
    out.Header("[[artifacts]]");
    out.Text("sha256", entry.sha256.Hex());
    out.Text("to", entry.to);
    out.Mode("mode", entry.mode);
    out.Flag("extract", entry.extract);
    if (entry.strip != 0) out.Number("strip", entry.strip);
    if (entry.platform) out.Text("platform", entry.platform->Render());
  }
}

// What a preset has and the service has not is said, too: it would come back.
void WritePresetKeys(Writer& out, const Service& service) {
  const ServicePreset* preset = FindPreset(service.preset);
  auto said = [&](std::string_view key) {
    return preset != nullptr && preset->service.Find(key) != nullptr;
  };
  if (!service.token.empty() || said("token")) out.Text("token", service.token);
  if (!service.announce.empty() || said("announce")) out.Text("announce", service.announce);
  if (!service.volumes.empty() || said("volumes")) out.Line("volumes", TomlArray(service.volumes));
}

// {} where there is none.
std::string ProbeText(const Probe& probe) {
  std::string text = probe.kind == Probe::Kind::kTcp    ? "tcp = true"
                     : probe.kind == Probe::Kind::kHttp ? "http = " + TomlQuote(probe.http_path)
                     : probe.kind == Probe::Kind::kExec ? "exec = " + TomlArray(probe.command)
                                                        : "";
  if (probe.kind == Probe::Kind::kDelay) return fmt::format("delay = \"{}ms\"", probe.timeout_ms);
  if (probe.port != 0) text += fmt::format(", port = {}", probe.port);
  return fmt::format("{}, timeout = \"{}ms\"", text, probe.timeout_ms);
}

std::string LimitText(const ResourceLimit& limit) {
  auto one = [](const std::optional<std::uint64_t>& value) {
    return value ? std::to_string(*value) : "unlimited";
  };
  return limit.soft == limit.hard ? one(limit.soft) : one(limit.soft) + ":" + one(limit.hard);
}

void WriteSurroundings(Writer& out, const Service& service) {
  out.Map("env", service.env);
  out.List("env-files", service.env_files);
  out.Map("secrets", service.secrets);
  out.TextIfAny("user", service.user);
  if (service.umask) out.Mode("umask", *service.umask);
  std::map<std::string, std::string> limits;
  for (const auto& [name, limit] : service.limits) limits[name] = LimitText(limit);
  out.Map("limits", limits);
}

void WriteService(Writer& out, const Service& service) {
  static constexpr std::string_view kType[] = {"service", "oneshot", "job"};
  static constexpr std::string_view kRestart[] = {"never", "on-failure", "always"};
  out.Header(fmt::format("[services.{}]", TomlKey(service.name)));
  out.TextIfAny("preset", service.preset);
  if (service.type != ServiceType::kService) {
    out.Text("type", kType[static_cast<std::size_t>(service.type)]);
  }
  out.List("command", service.command);
  if (service.port) out.Number("port", *service.port);
  out.TextIfAny("app", service.app);
  out.TextIfAny("dir", service.dir);
  WriteSurroundings(out, service);
  out.List("after", service.after);
  if (service.ready.kind != Probe::Kind::kNone) {
    out.Line("ready", fmt::format("{{ {} }}", ProbeText(service.ready)));
  }
  if (const Probe& live = service.live; live.kind != Probe::Kind::kNone) {
    out.Line("live", fmt::format("{{ {}, interval = \"{}ms\", failures = {} }}", ProbeText(live),
                                 live.interval_ms, live.failures));
  }
  out.Text("restart", kRestart[static_cast<std::size_t>(service.restart)]);
  if (service.max_failures != Service().max_failures) {
    out.Number("max-failures", service.max_failures);
  }
  out.Flag("essential", service.essential);
  out.Text("stop-signal", service.stop_signal);
  out.Text("stop-timeout", fmt::format("{}ms", service.stop_timeout_ms));
  WritePresetKeys(out, service);
}

}  // namespace

std::string CanonicalPath(const std::string& path, std::string_view folder) {
  fs::path base = fs::path(folder).lexically_normal();
  fs::path relative = fs::path(path).lexically_relative(base);
  std::string text = relative.generic_string();
  if (base == "." && !fs::path(path).is_absolute()) text = fs::path(path).lexically_normal();
  bool outside =
      text.empty() || fs::path(text).is_absolute() || text == ".." || text.starts_with("../");
  return outside ? fs::path(path).lexically_normal().filename().string() : text;
}

std::string CanonicalBaseImage(const std::string& image, std::string_view folder) {
  const std::size_t path = BaseImagePath(image);
  if (path == std::string::npos) return image;
  return image.substr(0, path) + CanonicalPath(image.substr(path), folder);
}

std::string RenderCanonical(const Spec& spec, std::string_view folder) {
  Writer out;
  out.Number("format", spec.format);
  WriteImage(out, spec);
  out.Header("[system]");
  if (spec.system.image) {
    out.Text("image", CanonicalBaseImage(*spec.system.image, folder));
  } else {
    out.Text("suite", SuiteName(spec.system.suite));
    out.Text("profile", ProfileName(spec.system.profile));
  }
  out.List("packages", spec.system.packages);
  out.List("certificates", AllRelative(spec.system.certificates, folder));
  WritePython(out, spec.python, folder);
  if (!spec.cuda.version.empty()) {
    out.Header("[cuda]");
    out.Flag("enabled", spec.cuda.enabled);
    out.Text("version", spec.cuda.version);
    out.List("components", spec.cuda.components);
    out.Text("provider", spec.cuda.provider);
  }
  WriteFiles(out, spec, folder);
  for (const Service& service : spec.services) WriteService(out, service);
  return out.Finish();
}

Sha256 ResolutionInputs(const Spec& spec) {
  KeyBuilder key("resolution-inputs/3");
  key.Add("suite", SuiteName(spec.system.suite));
  key.Add("profile", ProfileName(spec.system.profile));
  for (const std::string& package : spec.system.packages) key.Add("deb", package);
  // Where an image's file lies on this host is nobody else's business; the lock has its digest.
  if (spec.system.image) key.Add("image", CanonicalBaseImage(*spec.system.image, ""));
  key.Add("python", spec.python.version);
  for (const PythonLayer& layer : spec.python.layers) {
    key.Add("layer", layer.name);
    for (const std::string& package : layer.packages) {
      // Where a wheel lies on this host is nobody else's business.
      bool wheel = IsLocalWheel(package);
      key.Add(wheel ? "wheel" : "requirement",
              wheel ? fs::path(package).filename().string() : package);
    }
  }
  for (const std::string& constraint : spec.python.constraints) key.Add("constraint", constraint);
  key.Add("exclude-newer", spec.python.exclude_newer.value_or(""));
  key.Add("prereleases", spec.python.allow_prereleases ? "allow" : "");
  for (const PythonIndex& index : spec.python.indexes) {
    key.Add("index", index.name);
    for (const std::string& package : index.packages) key.Add("from-index", package);
  }
  key.Add("cuda", spec.cuda.version);
  key.Add("cuda-provider", spec.cuda.version.empty() ? "" : spec.cuda.provider);
  for (const std::string& component : spec.cuda.components) key.Add("cuda-component", component);
  return key.Finish();
}

Sha256 SpecDigest(const Spec& spec, std::string_view folder) {
  return HashOf(RenderCanonical(spec, folder));
}

}  // namespace imgbuild::specs
