#include "builder/assemble/service_table_writer.h"

#include <algorithm>
#include <csignal>

#include <fmt/core.h>

#include "builder/assemble/presets.h"
#include "runtime/service_table.h"
#include "specs/base/error.h"

namespace imgbuild::builder {
namespace {

using specs::Service;

struct Signal {
  std::string_view name;
  int number;
};

// Linux numbers on amd64 and arm64, which agree.
constexpr Signal kSignals[] = {{"HUP", SIGHUP},   {"INT", SIGINT},    {"QUIT", SIGQUIT},
                               {"KILL", SIGKILL}, {"USR1", SIGUSR1},  {"USR2", SIGUSR2},
                               {"TERM", SIGTERM}, {"WINCH", SIGWINCH}};

int SignalNumber(const Service& service) {
  std::string_view name = service.stop_signal;
  if (name.starts_with("SIG")) name.remove_prefix(3);
  for (const Signal& signal : kSignals) {
    if (signal.name == name) return signal.number;
  }
  throw specs::Error(
      specs::ErrorKind::kUsage,
      fmt::format("services.{}: unknown stop-signal \"{}\"", service.name, service.stop_signal))
      .Expected("HUP, INT, QUIT, KILL, USR1, USR2, TERM or WINCH");
}

const Preset* PresetOf(const Service& service) {
  if (service.preset.empty()) return nullptr;
  const Preset* preset = FindPreset(service.preset);
  if (preset == nullptr) {
    throw specs::Error(specs::ErrorKind::kUsage, fmt::format("services.{}: unknown preset \"{}\"",
                                                             service.name, service.preset));
  }
  return preset;
}

std::uint32_t PortOf(const Service& service, const Preset* preset) {
  return service.port.value_or(preset != nullptr ? preset->port : 0);
}

std::string Fill(std::string text, std::string_view place, std::string_view value) {
  for (std::size_t at = 0; (at = text.find(place, at)) != std::string::npos; at += value.size()) {
    text.replace(at, place.size(), value);
  }
  return text;
}

// Undone by the supervisor's parser.
std::string Escape(std::string_view value) {
  std::string escaped;
  for (char c : value) {
    if (c == '\\') {
      escaped += "\\\\";
    } else if (c == '\n') {
      escaped += "\\n";
    } else {
      escaped += c;
    }
  }
  return escaped;
}

class TableWriter {
 public:
  explicit TableWriter(const specs::Spec& spec) : spec_(spec) {}

  std::string Write() {
    Line(runtime::kServiceTableHeader);
    Line("shell", spec_.system.profile == specs::Profile::kSlim ? "/bin/bash" : "/usr/bin/python3");
    if (spec_.services.size() > runtime::kMaxServices) {
      throw specs::Error(specs::ErrorKind::kUsage,
                         fmt::format("{} services; at most {} are possible", spec_.services.size(),
                                     runtime::kMaxServices));
    }
    for (const Service* service : InOrder()) WriteService(*service);
    if (text_.size() >= runtime::kMaxTable) {
      throw specs::Error(specs::ErrorKind::kUsage, "the services take more than 256 kB of text");
    }
    return std::move(text_);
  }

 private:
  // Each after those it names; by name where that leaves a choice. Cycles were refused by the
  // spec's check.
  std::vector<const Service*> InOrder() const {
    std::vector<const Service*> ordered;
    auto placed = [&](const std::string& name) {
      return std::any_of(ordered.begin(), ordered.end(),
                         [&](const Service* service) { return service->name == name; });
    };
    while (ordered.size() < spec_.services.size()) {
      const std::size_t before = ordered.size();
      for (const Service& service : spec_.services) {
        if (!placed(service.name) &&
            std::all_of(service.after.begin(), service.after.end(), placed)) {
          ordered.push_back(&service);
        }
      }
      if (ordered.size() == before) {
        throw specs::Error(specs::ErrorKind::kUsage, "services come after each other in a circle");
      }
    }
    return ordered;
  }

  void Line(std::string_view key, std::string_view value = "") {
    text_ += key;
    if (!value.empty()) text_.append(" ").append(Escape(value));
    text_ += '\n';
  }

  void WriteService(const Service& service) {
    const Preset* preset = PresetOf(service);
    const std::uint32_t port = PortOf(service, preset);
    const bool page = ServesBuiltInPage(service);
    const std::string dir = !service.dir.empty() ? service.dir
                            : page               ? std::string(kPageDirectory)
                                                 : spec_.image.workdir;
    Line("service", service.name);
    WriteCommand(service, preset, port, dir);
    Line("dir", page ? spec_.image.workdir : dir);
    for (const auto& [key, value] : service.env) Line("env", key + "=" + value);
    for (const std::string& name : service.after) Line("after", name);
    WriteReady(service, preset, port);
    Line("restart", service.restart == specs::Restart::kNever       ? "never"
                    : service.restart == specs::Restart::kOnFailure ? "on-failure"
                                                                    : "always");
    if (service.essential) Line("essential");
    Line("stop", fmt::format("{} {}", SignalNumber(service), service.stop_timeout_ms));
    if (preset != nullptr && service.command.empty()) {
      if (!preset->token.empty()) Line("token", preset->token);
      Line("announce",
           Fill(std::string(preset->announce), "{port}", fmt::format("{{port {}}}", port)));
    }
    Line("end");
  }

  void WriteCommand(const Service& service, const Preset* preset, std::uint32_t port,
                    const std::string& dir) {
    std::vector<std::string> command = service.command;
    if (command.empty() && preset != nullptr) {
      const std::string app = service.app.empty() ? "main:app" : service.app;
      for (std::string argument : preset->command) {
        argument = Fill(std::move(argument), "{port}", std::to_string(port));
        argument = Fill(std::move(argument), "{app}", app);
        argument = Fill(std::move(argument), "{dir}", dir);
        command.push_back(Fill(std::move(argument), "{workdir}", spec_.image.workdir));
      }
    }
    if (command.empty()) {
      throw specs::Error(
          specs::ErrorKind::kUsage,
          fmt::format("services.{} has neither a command nor a preset", service.name));
    }
    if (command.size() > runtime::kMaxArguments) {
      throw specs::Error(
          specs::ErrorKind::kUsage,
          fmt::format("services.{}: more than {} arguments", service.name, runtime::kMaxArguments));
    }
    for (const std::string& argument : command) Line("exec", argument);
  }

  void WriteReady(const Service& service, const Preset* preset, std::uint32_t port) {
    using Kind = specs::ReadyProbe::Kind;
    const specs::ReadyProbe& ready = service.ready;
    const std::uint32_t probed = ready.port != 0 ? ready.port : port;
    if (ready.kind == Kind::kTcp) {
      Line("ready", fmt::format("tcp {} {}", probed, ready.timeout_ms));
    } else if (ready.kind == Kind::kHttp) {
      Line("ready", fmt::format("http {} {} {}", probed, ready.timeout_ms, ready.http_path));
    } else if (preset != nullptr && service.command.empty()) {
      Line("ready", fmt::format("http {} {} {}", probed, ready.timeout_ms, preset->ready_path));
    } else {
      Line("ready", "none");
    }
  }

  const specs::Spec& spec_;
  std::string text_;
};

}  // namespace

std::string RenderServiceTable(const specs::Spec& spec) { return TableWriter(spec).Write(); }

std::vector<std::uint32_t> ServicePorts(const specs::Spec& spec) {
  std::vector<std::uint32_t> ports;
  for (const Service& service : spec.services) {
    if (std::uint32_t port = PortOf(service, PresetOf(service))) ports.push_back(port);
  }
  std::sort(ports.begin(), ports.end());
  ports.erase(std::unique(ports.begin(), ports.end()), ports.end());
  return ports;
}

}  // namespace imgbuild::builder
