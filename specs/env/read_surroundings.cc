#include <algorithm>
#include <array>

#include <fmt/core.h>

#include "specs/base/text.h"
#include "specs/env/service_reader.h"
#include "specs/env/spec_reader.h"

namespace imgbuild::specs {
namespace {

// Where engines put what --secret names.
constexpr std::string_view kSecretFolder = "/run/secrets/";

// limits.conf(5); runtime/service_table.cc knows their numbers.
constexpr std::array<std::string_view, 13> kLimits = {
    "as",   "core",   "cpu",   "data",   "fsize",      "memlock", "msgqueue",
    "nice", "nofile", "nproc", "rtprio", "sigpending", "stack"};

bool IsPlainPath(std::string_view path) {
  if (path.size() < 2 || path[0] != '/' || path.find('\n') != std::string_view::npos) return false;
  return std::ranges::none_of(Split(path, '/'), [](std::string_view part) { return part == ".."; });
}

void ReadEnvFiles(TableReader& table, Service& service) {
  for (const Placed& file : table.Strings("env-files")) {
    const std::string_view path = std::string_view(file.text).substr(file.text.starts_with('-'));
    if (IsPlainPath(path)) {
      service.env_files.push_back(file.text);
    } else {
      table.Note(file.where,
                 fmt::format("{} has \"{}\", expected an absolute path in the container",
                             table.PathOf("env-files"), file.text),
                 "\"-/run/secrets/app.env\" may be missing when the service starts");
    }
  }
}

void ReadSecrets(TableReader& table, Service& service) {
  for (const auto& [variable, secret] : table.StringMap("secrets")) {
    const SourcePosition where = table.reading().sources.Where(table.PathOf("secrets." + variable));
    if (!IsVariable(variable)) {
      table.Note(where, fmt::format("\"{}\" is no name of a variable, expected one such as "
                                    "\"API_KEY\"",
                                    variable));
    }
    const std::string path = secret.starts_with('/') ? secret : std::string(kSecretFolder) + secret;
    if (secret.empty() || !IsPlainPath(path)) {
      table.Note(where, fmt::format("{}.{} is \"{}\", expected the name of a secret or the "
                                    "absolute path of a file",
                                    table.PathOf("secrets"), variable, secret));
    }
    service.secrets[variable] = path;
  }
}

void ReadUser(TableReader& table, Service& service) {
  service.user = table.String("user").value_or("");
  if (service.user.empty()) return;
  const bool name = std::ranges::all_of(service.user, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
  if (IsNumericOwner(service.user) || name) return;
  table.Note("user", fmt::format("{} is \"{}\", expected \"uid\", \"uid:gid\" or a name",
                                 table.PathOf("user"), service.user));
}

// "1024" or "unlimited".
bool ParseLimit(std::string_view text, std::optional<std::uint64_t>& limit) {
  if (text == "unlimited") {
    limit.reset();
    return true;
  }
  limit = ParseUnsigned(text);
  return limit && *limit <= (std::uint64_t{1} << 60);
}

// 1024, "unlimited" or "1024:4096", soft before hard.
std::optional<ResourceLimit> ParseResourceLimit(const TomlValue& value) {
  const std::string text = value.kind == TomlValue::Kind::kInteger  ? std::to_string(value.integer)
                           : value.kind == TomlValue::Kind::kString ? value.text
                                                                    : "";
  const std::size_t colon = text.find(':');
  ResourceLimit limit;
  if (!ParseLimit(std::string_view(text).substr(0, colon), limit.soft)) return std::nullopt;
  limit.hard = limit.soft;
  if (colon != std::string::npos &&
      !ParseLimit(std::string_view(text).substr(colon + 1), limit.hard)) {
    return std::nullopt;
  }
  if (limit.hard && (!limit.soft || *limit.soft > *limit.hard)) return std::nullopt;
  return limit;
}

void ReadLimits(TableReader& table, Service& service) {
  const TomlValue* limits = table.Table("limits");
  if (limits == nullptr) return;
  for (const TomlEntry& entry : limits->entries) {
    if (std::ranges::find(kLimits, entry.key) == kLimits.end()) {
      table.Note(entry.where, fmt::format("unknown limit \"{}\"", entry.key),
                 DidYouMean(entry.key, {kLimits.begin(), kLimits.end()}));
    } else if (auto limit = ParseResourceLimit(entry.value)) {
      service.limits[entry.key] = *limit;
    } else {
      table.Note(entry.where,
                 fmt::format("{}.{} is no limit, expected a number, \"unlimited\" or \"SOFT:HARD\"",
                             table.PathOf("limits"), entry.key));
    }
  }
}

}  // namespace

bool IsVariable(std::string_view name) {
  return !name.empty() && (name[0] < '0' || name[0] > '9') &&
         name.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == std::string_view::npos;
}

void ReadSurroundings(TableReader& table, Service& service) {
  service.env = ReadEnv(table);
  ReadEnvFiles(table, service);
  ReadSecrets(table, service);
  ReadUser(table, service);
  service.umask = table.Mode("umask");
  if (service.umask && *service.umask > 0777) {
    table.Note("umask", fmt::format("{} is more than 0777", table.PathOf("umask")));
  }
  ReadLimits(table, service);
}

}  // namespace imgbuild::specs
