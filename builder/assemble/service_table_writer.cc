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
    Line("shell", !shell_.empty() ? shell_ : slim ? "/bin/bash" : "/usr/bin/python3");
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
    const std::uint32_t port = service.port.value_or(0);
    Line("service", service.name);
    WriteCommand(service);
    Line("dir", service.dir.empty() ? spec_.image.workdir : service.dir);
    for (const auto& [key, value] : service.env) Line("env", key + "=" + value);
    for (const std::string& name : service.after) Line("after", name);
    WriteReady(service, port);
    Line("restart", service.restart == specs::Restart::kNever       ? "never"
                    : service.restart == specs::Restart::kOnFailure ? "on-failure"
                                                                    : "always");
    if (service.essential) Line("essential");
    Line("stop", fmt::format("{} {}", SignalNumber(service), service.stop_timeout_ms));
    if (!service.token.empty()) Line("token", service.token);
    if (!service.announce.empty()) Line("announce", service.announce);
    Line("end");
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

  void WriteReady(const Service& service, std::uint32_t port) {
    using Kind = specs::ReadyProbe::Kind;
    const specs::ReadyProbe& ready = service.ready;
    const std::uint32_t probed = ready.port != 0 ? ready.port : port;
    if (ready.kind == Kind::kTcp) {
      Line("ready", fmt::format("tcp {} {}", probed, ready.timeout_ms));
    } else if (ready.kind == Kind::kHttp) {
      Line("ready", fmt::format("http {} {} {}", probed, ready.timeout_ms, ready.http_path));
    } else {
      Line("ready", "none");
    }
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
