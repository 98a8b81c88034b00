#include "builder/assemble/service_table_writer.h"

#include <algorithm>
#include <csignal>

#include <fmt/core.h>

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
  TableWriter(const specs::Spec& spec, std::string_view shell) : spec_(spec), shell_(shell) {}

  std::string Write() {
    Line(runtime::kServiceTableHeader);
    const bool slim = spec_.system.profile == specs::Profile::kSlim;
    Line("shell", !shell_.empty() ? shell_ : slim ? "/bin/bash" : "/opt/venv/bin/python3");
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
    static constexpr std::string_view kType[] = {"service", "oneshot", "job"};
    static constexpr std::string_view kRestart[] = {"never", "on-failure", "always"};
    Line("service", service.name);
    Line("type", kType[static_cast<std::size_t>(service.type)]);
    WriteCommand(service);
    WriteSurroundings(service);
    for (const std::string& name : service.after) Line("after", name);
    WriteReady(service);
    WriteLive(service);
    Line("restart", fmt::format("{} {}", kRestart[static_cast<std::size_t>(service.restart)],
                                service.max_failures));
    if (service.essential) Line("essential");
    Line("stop", fmt::format("{} {}", SignalNumber(service), service.stop_timeout_ms));
    if (!service.token.empty()) Line("token", service.token);
    if (!service.announce.empty()) Line("announce", service.announce);
    Line("end");
  }

  void WriteSurroundings(const Service& service) {
    Line("dir", service.dir.empty() ? spec_.image.workdir : service.dir);
    AtMost(service, "env", service.env.size(), runtime::kMaxEnvironment);
    for (const auto& [key, value] : service.env) Line("env", key + "=" + value);
    AtMost(service, "env-files", service.env_files.size(), runtime::kMaxFiles);
    for (const std::string& file : service.env_files) Line("env-file", file);
    AtMost(service, "secrets", service.secrets.size(), runtime::kMaxFiles);
    for (const auto& [variable, file] : service.secrets) Line("secret", variable + " " + file);
    if (!service.user.empty()) Line("user", service.user);
    if (service.umask) Line("umask", fmt::format("{:03o}", *service.umask));
    auto number = [](const std::optional<std::uint64_t>& limit) {
      return limit ? std::to_string(*limit) : "unlimited";
    };
    for (const auto& [name, limit] : service.limits) {
      Line("limit", fmt::format("{} {} {}", name, number(limit.soft), number(limit.hard)));
    }
  }

  static void AtMost(const Service& service, std::string_view key, std::size_t size,
                     std::size_t most) {
    if (size <= most) return;
    throw specs::Error(specs::ErrorKind::kUsage,
                       fmt::format("services.{}.{}: more than {}", service.name, key, most));
  }

  void WriteCommand(const Service& service) {
    const std::vector<std::string>& command = service.command;
    if (command.empty()) {
      throw specs::Error(specs::ErrorKind::kUsage,
                         fmt::format("services.{} has no command", service.name));
    }
    if (command.size() > runtime::kMaxArguments) {
      throw specs::Error(
          specs::ErrorKind::kUsage,
          fmt::format("services.{}: more than {} arguments", service.name, runtime::kMaxArguments));
    }
    for (const std::string& argument : command) Line("exec", argument);
  }

  // Kind and place, with the space behind; "" for none.
  static std::string Asked(const Service& service, const specs::Probe& probe) {
    using Kind = specs::Probe::Kind;
    const std::uint32_t port = probe.port != 0 ? probe.port : service.port.value_or(0);
    switch (probe.kind) {
      case Kind::kTcp:
        return fmt::format("tcp {} ", port);
      case Kind::kHttp:
        return fmt::format("http {} ", port);
      case Kind::kExec:
        return "exec ";
      case Kind::kDelay:
        return "delay ";
      case Kind::kNone:
        break;
    }
    return "";
  }

  void WriteProbeCommand(const Service& service, std::string_view key, const specs::Probe& probe) {
    AtMost(service, key, probe.command.size(), runtime::kMaxProbeArguments);
    for (const std::string& argument : probe.command) {
      Line(key == "ready" ? "ready-exec" : "live-exec", argument);
    }
  }

  void WriteReady(const Service& service) {
    const specs::Probe& ready = service.ready;
    if (ready.kind == specs::Probe::Kind::kNone) return Line("ready", "none");
    std::string text = Asked(service, ready) + std::to_string(ready.timeout_ms);
    if (!ready.http_path.empty()) text += " " + ready.http_path;
    Line("ready", text);
    WriteProbeCommand(service, "ready", ready);
  }

  void WriteLive(const Service& service) {
    const specs::Probe& live = service.live;
    if (live.kind == specs::Probe::Kind::kNone) return;
    std::string text = fmt::format("{}{} {} {}", Asked(service, live), live.interval_ms,
                                   live.timeout_ms, live.failures);
    if (!live.http_path.empty()) text += " " + live.http_path;
    Line("live", text);
    WriteProbeCommand(service, "live", live);
  }

  const specs::Spec& spec_;
  const std::string_view shell_;
  std::string text_;
};

}  // namespace

std::string RenderServiceTable(const specs::Spec& spec, std::string_view shell) {
  return TableWriter(spec, shell).Write();
}

}  // namespace imgbuild::builder
