#include <algorithm>

#include <fmt/core.h>

#include "specs/env/service_reader.h"

namespace imgbuild::specs {
namespace {

constexpr std::uint64_t kReadyTimeoutMs = 30'000;
constexpr std::uint64_t kLiveTimeoutMs = 5'000;
constexpr std::uint64_t kLiveIntervalMs = 10'000;
constexpr std::uint64_t kLiveFailures = 3;

void ReadHttp(TableReader& table, Probe& probe) {
  auto path = table.String("http");
  if (!path) return;
  probe.kind = Probe::Kind::kHttp;
  probe.http_path = *path;
  if (path->starts_with('/') && path->find_first_of(" \r\n") == std::string::npos) return;
  table.Note("http", fmt::format("{} is \"{}\", expected a path such as \"/\"",
                                 table.PathOf("http"), *path));
}

// What asks, and where. `key` is "ready" or "live", `others` what it takes beside them.
void ReadKind(TableReader& service, TableReader& table, const char* key, std::string_view others,
              const std::optional<std::uint32_t>& port, Probe& probe) {
  const bool tcp = table.Boolean("tcp").value_or(false);
  if (tcp) probe.kind = Probe::Kind::kTcp;
  ReadHttp(table, probe);
  if (table.Has("exec")) {
    probe.kind = Probe::Kind::kExec;
    probe.command = table.Texts("exec");
    if (probe.command.empty()) {
      table.Note("exec", fmt::format("{} is empty", table.PathOf("exec")));
    }
  }
  if (auto delay = table.Has("delay") ? table.Duration("delay") : std::nullopt) {
    probe.kind = Probe::Kind::kDelay;
    probe.timeout_ms = *delay;
  }
  const int ways = (tcp ? 1 : 0) + (table.Has("http") ? 1 : 0) + (table.Has("exec") ? 1 : 0) +
                   (table.Has("delay") ? 1 : 0);
  if (ways != 1) {
    service.Note(key, fmt::format("{} needs one of http = \"/path\", tcp = true{}",
                                  service.PathOf(key), others));
  }
  if (auto own = ReadPort(table); own && own != port) probe.port = *own;
  const bool asks_port = probe.kind == Probe::Kind::kTcp || probe.kind == Probe::Kind::kHttp;
  if (asks_port && !port && probe.port == 0) {
    service.Note(key, fmt::format("{} asks a port, but the service has none", service.PathOf(key)),
                 "write port = ... beside it");
  }
}

// A time that something has to take.
void ReadTime(TableReader& table, const char* key, std::uint64_t& time) {
  auto given = table.Duration(key);
  if (!given) return;
  time = *given;
  if (time == 0) table.Note(key, fmt::format("{} is 0", table.PathOf(key)));
}

void ReadReady(TableReader& service, const std::optional<std::uint32_t>& port, Probe& probe) {
  const TomlValue* value = service.Table("ready");
  if (value == nullptr) return;
  TableReader table(*value, service.PathOf("ready"), "services.NAME.ready", service.reading());
  probe.timeout_ms = kReadyTimeoutMs;
  ReadKind(service, table, "ready", ", exec = [...] or delay = \"2s\"", port, probe);
  if (probe.kind != Probe::Kind::kDelay) {
    probe.timeout_ms = table.Duration("timeout").value_or(probe.timeout_ms);
  } else if (table.Has("timeout")) {
    table.Note("timeout", fmt::format("{} does not go with delay", table.PathOf("timeout")));
  }
}

void ReadLive(TableReader& service, const std::optional<std::uint32_t>& port, Probe& probe) {
  const TomlValue* value = service.Table("live");
  if (value == nullptr) return;
  TableReader table(*value, service.PathOf("live"), "services.NAME.live", service.reading());
  probe.timeout_ms = kLiveTimeoutMs;
  probe.interval_ms = kLiveIntervalMs;
  probe.failures = kLiveFailures;
  ReadKind(service, table, "live", " or exec = [...]", port, probe);
  ReadTime(table, "interval", probe.interval_ms);
  ReadTime(table, "timeout", probe.timeout_ms);
  if (auto failures = table.Integer("failures")) {
    if (*failures >= 1 && *failures <= 1'000'000) {
      probe.failures = static_cast<std::uint64_t>(*failures);
    } else {
      table.Note("failures", fmt::format("{} is {}, expected 1 to 1000000",
                                         table.PathOf("failures"), *failures));
    }
  }
}

}  // namespace

void ReadProbes(TableReader& table, Service& service) {
  ReadReady(table, service.port, service.ready);
  ReadLive(table, service.port, service.live);
}

std::optional<std::uint32_t> ReadPort(TableReader& table) {
  std::optional<std::int64_t> port = table.Integer("port");
  if (!port) return std::nullopt;
  if (*port >= 1 && *port <= 65535) return static_cast<std::uint32_t>(*port);
  table.Note("port", fmt::format("{} is {}, expected 1 to 65535", table.PathOf("port"), *port));
  return std::nullopt;
}

}  // namespace imgbuild::specs
