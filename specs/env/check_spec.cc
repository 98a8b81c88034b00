#include <algorithm>
#include <map>
#include <set>

#include <fmt/core.h>

#include "specs/base/text.h"
#include "specs/env/preset.h"
#include "specs/env/spec_reader.h"
#include "specs/python/name.h"
#include "specs/python/requirement.h"
#include "specs/python/tags.h"

namespace imgbuild::specs {
namespace {

struct SuitePython {
  Suite suite;
  std::string_view version;
};

constexpr SuitePython kSuitePythons[] = {{Suite::kBookworm, "3.11"}, {Suite::kTrixie, "3.13"}};

// Walks `after` depth first; the services on the way are the cycle when one comes again.
class CycleFinder {
 public:
  CycleFinder(const std::vector<Service>& services, SpecReading& reading) : reading_(reading) {
    for (const Service& service : services) services_[service.name] = &service;
  }

  void Run() {
    for (const auto& [name, service] : services_) Visit(*service);
  }

 private:
  void Visit(const Service& service) {
    auto open = std::find(path_.begin(), path_.end(), service.name);
    if (open != path_.end()) {
      std::vector<std::string> cycle(open, path_.end());
      cycle.push_back(service.name);
      reading_.problems.Add(reading_.sources.Where(fmt::format("services.{}.after", path_.back())),
                            fmt::format("services wait for each other: {}", Join(cycle, " -> ")));
      return;
    }
    if (!done_.insert(service.name).second) return;
    path_.push_back(service.name);
    for (const std::string& name : service.after) {
      auto next = services_.find(name);
      if (next != services_.end()) Visit(*next->second);
    }
    path_.pop_back();
  }

  SpecReading& reading_;
  std::map<std::string, const Service*> services_;
  std::vector<std::string> path_;
  std::set<std::string> done_;
};

// What the spec asks for by name: distribution -> extras.
std::map<std::string, std::set<std::string>> Wanted(const Spec& spec) {
  std::map<std::string, std::set<std::string>> wanted;
  for (const PythonLayer& layer : spec.python.layers) {
    for (const std::string& package : layer.packages) {
      if (IsLocalWheel(package)) {
        auto wheel = WheelName::Parse(std::string_view(package).substr(package.rfind('/') + 1));
        if (auto* name = std::get_if<WheelName>(&wheel)) wanted[name->name];
        continue;
      }
      auto parsed = Requirement::Parse(package);
      auto* requirement = std::get_if<Requirement>(&parsed);
      if (requirement == nullptr) continue;
      auto& extras = wanted[NormalizeName(requirement->name)];
      for (const std::string& extra : requirement->extras) extras.insert(NormalizeName(extra));
    }
  }
  return wanted;
}

bool Has(const std::map<std::string, std::set<std::string>>& wanted, std::string_view need) {
  auto parsed = Requirement::Parse(need);
  const auto& requirement = std::get<Requirement>(parsed);
  auto found = wanted.find(requirement.name);
  if (found == wanted.end()) return false;
  return std::all_of(requirement.extras.begin(), requirement.extras.end(),
                     [&](const std::string& extra) { return found->second.contains(extra); });
}

// "3.9" and later, without a patch release.
bool IsPython3(std::string_view version) {
  if (!version.starts_with("3.")) return false;
  const std::optional<std::uint64_t> minor = ParseUnsigned(version.substr(2));
  return minor && *minor >= 9 && *minor < 100;
}

// The line of [python] with `package` added.
std::string LineToAdd(const Spec& spec, const SpecReading& reading, std::string_view package) {
  constexpr std::size_t kShort = 8;
  const std::vector<std::string>& packages = spec.python.layers.front().packages;
  if (!reading.sources.positions.contains("python.packages")) {
    return fmt::format("add under [python]: packages = [\"{}\"]", package);
  }
  SourcePosition where = reading.sources.Where("python.packages");
  if (packages.size() > kShort) {
    return fmt::format("add \"{}\", to python.packages ({})", package, where.Render());
  }
  std::vector<std::string> more = packages;
  more.emplace_back(package);
  return fmt::format("write in {}: packages = {}", where.Render(), TomlArray(more));
}

bool IsAtOrBelow(std::string_view path, std::string_view folder) {
  return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
}

// A path that the preset runs and no package brings: something of the spec's own has to.
void CheckNeededFile(const Spec& spec, const Service& service, const ServicePreset& preset,
                     SpecReading& reading) {
  if (preset.needs_file.empty() || service.command.empty()) return;
  // With a command of its own the service may run something else.
  if (!IsAtOrBelow(service.command.front(), preset.needs_file)) return;
  auto fills = [&](const auto& entry) { return IsAtOrBelow(entry.to, preset.needs_file); };
  if (std::ranges::any_of(spec.artifacts, fills) || std::ranges::any_of(spec.files, fills)) return;
  reading.problems.Add(
      reading.sources.Where(fmt::format("services.{}.preset", service.name)),
      fmt::format("the preset \"{}\" runs {}, which nothing puts there", preset.name,
                  service.command.front()),
      fmt::format("add: [[artifacts]] with url = \"...\", sha256 = \"...\", to = \"{}\", "
                  "extract = true",
                  preset.needs_file));
}

}  // namespace

void CheckSuite(Spec& spec, TableReader& document, SpecReading& reading) {
  const SuitePython* match = nullptr;
  for (const SuitePython& entry : kSuitePythons) {
    if (entry.version == spec.python.version) match = &entry;
  }
  if (spec.system.image) {
    // The base brings its own Python; the suite's, if there is one, compiles for it.
    if (match != nullptr) spec.system.suite = match->suite;
    if (match == nullptr && !IsPython3(spec.python.version)) {
      document.Note(reading.sources.Where("python.version"),
                    fmt::format("python.version is \"{}\", expected that of the base image's "
                                "Python, such as \"3.12\"",
                                spec.python.version));
    }
    return;
  }
  if (match == nullptr) {
    document.Note(reading.sources.Where("python.version"),
                  fmt::format("python.version is \"{}\", which no supported Debian suite has; "
                              "expected \"3.11\" (bookworm) or \"3.13\" (trixie)",
                              spec.python.version));
    return;
  }
  if (!reading.sources.positions.contains("system.suite")) {
    spec.system.suite = match->suite;
  } else if (spec.system.suite != match->suite) {
    document.Note(
        reading.sources.Where("system.suite"),
        fmt::format("Debian {} has no Python {}", SuiteName(spec.system.suite),
                    spec.python.version),
        fmt::format("leave system.suite out, or write suite = \"{}\"", SuiteName(match->suite)));
  }
}

void CheckBaseImage(const Spec& spec, SpecReading& reading) {
  if (!spec.system.image) return;
  const auto refuse = [&](std::string_view key, std::string_view why) {
    if (!reading.sources.positions.contains(std::string(key))) return;
    reading.problems.Add(reading.sources.Where(key),
                         fmt::format("{} cannot go with system.image: {}", key, why),
                         fmt::format("leave out {} or system.image", key));
  };
  refuse("system.suite", "the base image is what it is");
  refuse("system.profile", "the base image is what it is");
  refuse("system.packages", "Debian packages cannot be added to a base image; it has to have them");
  if (spec.cuda.provider == "debian" && !spec.cuda.version.empty()) {
    reading.problems.Add(reading.sources.Where("cuda.provider"),
                         "Debian's CUDA packages cannot be added to a base image",
                         "leave out cuda.provider: CUDA then comes as wheels");
  }
}

namespace {

// As the tz database names them: "Europe/Berlin", "Etc/GMT+2".
bool IsZoneName(std::string_view text) {
  const std::vector<std::string_view> parts = Split(text, '/');
  return std::ranges::all_of(parts, [](std::string_view part) {
    return !part.empty() && std::ranges::all_of(part, [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
             c == '_' || c == '-' || c == '+';
    });
  });
}

// On an image without tzdata TZ may be a rule of POSIX, too: "EST5EDT,M3.2.0,M11.1.0".
bool IsZoneOrRule(std::string_view text) {
  return !text.starts_with('/') && text.find("..") == std::string_view::npos;
}

}  // namespace

void CheckTimezone(const Spec& spec, SpecReading& reading) {
  const auto zone = spec.image.env.find("TZ");
  if (zone == spec.image.env.end() || zone->second.empty()) return;
  const bool good = spec.system.image ? IsZoneOrRule(zone->second) : IsZoneName(zone->second);
  if (good) return;
  reading.problems.Add(
      reading.sources.Where("image.env.TZ"),
      fmt::format("TZ is \"{}\", expected a name such as \"Europe/Berlin\"", zone->second));
}

namespace {

// Root may become anyone, others only stay who they are.
void CheckUsers(const Spec& spec, SpecReading& reading) {
  const std::string& starts = spec.image.user;
  if (starts == "root" || starts == "0" || starts.starts_with("0:")) return;
  for (const Service& service : spec.services) {
    if (service.user.empty() || service.user == starts) continue;
    reading.problems.Add(
        reading.sources.Where(fmt::format("services.{}.user", service.name)),
        fmt::format("services.{} runs as \"{}\", which only an image can do that starts as root; "
                    "this one starts as \"{}\"",
                    service.name, service.user, starts),
        "write user = \"0\" under [image] and a user for each service, or leave user out here");
  }
}

}  // namespace

void CheckServices(const Spec& spec, SpecReading& reading) {
  const std::vector<Service>& services = spec.services;
  std::vector<std::string> names;
  for (const Service& service : services) names.push_back(service.name);
  std::map<std::uint32_t, std::string> ports;
  for (const Service& service : services) {
    SourcePosition after = reading.sources.Where(fmt::format("services.{}.after", service.name));
    for (const std::string& name : service.after) {
      if (std::find(names.begin(), names.end(), name) != names.end()) continue;
      reading.problems.Add(
          after,
          fmt::format("services.{} waits for \"{}\", which is no service", service.name, name),
          DidYouMean(name, names));
    }
    if (!service.port) continue;
    auto [taken, is_new] = ports.emplace(*service.port, service.name);
    if (is_new) continue;
    reading.problems.Add(reading.sources.Where(fmt::format("services.{}.port", service.name)),
                         fmt::format("port {} of services.{} is that of services.{}, too",
                                     *service.port, service.name, taken->second));
  }
  CycleFinder(services, reading).Run();
  CheckUsers(spec, reading);
}

void CheckPresets(const Spec& spec, SpecReading& reading) {
  const auto wanted = Wanted(spec);
  for (const Service& service : spec.services) {
    const ServicePreset* preset = FindPreset(service.preset);
    if (preset == nullptr) continue;
    CheckNeededFile(spec, service, *preset, reading);
    for (const std::vector<std::string>& need : preset->needs) {
      auto has = [&](const std::string& one) { return Has(wanted, one); };
      if (std::any_of(need.begin(), need.end(), has)) continue;
      reading.problems.Add(
          reading.sources.Where(fmt::format("services.{}.preset", service.name)),
          fmt::format("the preset \"{}\" runs {}, which is in no packages of [python]",
                      preset->name, need.front()),
          LineToAdd(spec, reading, need.front()));
    }
  }
}

}  // namespace imgbuild::specs
