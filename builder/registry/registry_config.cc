#include "builder/registry/registry_config.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "layers/io/file.h"
#include "specs/base/error.h"
#include "specs/base/text.h"
#include "specs/base/toml.h"

namespace imgbuild::builder {
namespace {

namespace fs = std::filesystem;
using specs::TomlValue;

constexpr std::uint64_t kLargestConfig = 4u << 20;

[[noreturn]] void Refuse(const TomlValue& value, std::string_view key, std::string_view expected) {
  throw specs::Error(specs::ErrorKind::kUsage, fmt::format("{}: {} is {}", value.where.Render(),
                                                           key, specs::TomlKindName(value.kind)))
      .Expected(std::string(expected));
}

std::string StringAt(const TomlValue& table, std::string_view key) {
  const TomlValue* value = table.Find(key);
  if (value == nullptr) return "";
  if (value->kind != TomlValue::Kind::kString) Refuse(*value, key, "a string");
  return value->text;
}

bool FlagAt(const TomlValue& table, std::string_view key) {
  const TomlValue* value = table.Find(key);
  if (value == nullptr) return false;
  if (value->kind != TomlValue::Kind::kBoolean) Refuse(*value, key, "true or false");
  return value->boolean;
}

// The tables of an array of tables; none where the key is absent.
std::vector<const TomlValue*> TablesAt(const TomlValue& table, std::string_view key) {
  std::vector<const TomlValue*> tables;
  const TomlValue* value = table.Find(key);
  if (value == nullptr) return tables;
  if (value->kind != TomlValue::Kind::kArray) Refuse(*value, key, "an array of tables");
  for (const TomlValue& item : value->items) {
    if (item.kind != TomlValue::Kind::kTable) Refuse(item, key, "a table");
    tables.push_back(&item);
  }
  return tables;
}

std::optional<std::vector<std::string>> TextsAt(const TomlValue& table, std::string_view key) {
  const TomlValue* value = table.Find(key);
  if (value == nullptr) return std::nullopt;
  if (value->kind != TomlValue::Kind::kArray) Refuse(*value, key, "an array of strings");
  std::vector<std::string> texts;
  for (const TomlValue& item : value->items) {
    if (item.kind != TomlValue::Kind::kString) Refuse(item, key, "a string");
    texts.push_back(item.text);
  }
  return texts;
}

Transport TransportAt(const TomlValue& table) {
  return FlagAt(table, "insecure") ? Transport::kFallback : Transport::kTls;
}

// Of a mirror, in a registry that has them for digests alone or not.
MirrorUse UseAt(const TomlValue& mirror, bool digest_only) {
  constexpr const char* kKey = "pull-from-mirror";
  const std::string use = StringAt(mirror, kKey);
  if (digest_only && !use.empty()) {
    throw specs::Error(
        specs::ErrorKind::kUsage,
        fmt::format("{}: {} beside mirror-by-digest-only = true", mirror.where.Render(), kKey))
        .Expected("one of them");
  }
  if (digest_only || use == "digest-only") return MirrorUse::kDigestOnly;
  if (use == "tag-only") return MirrorUse::kTagOnly;
  if (use.empty() || use == "all") return MirrorUse::kAll;
  throw specs::Error(specs::ErrorKind::kUsage,
                     fmt::format("{}: {} is \"{}\"", mirror.where.Render(), kKey, use))
      .Expected("\"all\", \"digest-only\" or \"tag-only\"");
}

// What rules are for.
std::string NameOf(std::string_view registry, std::string_view repository) {
  return repository.empty() ? std::string(registry) : fmt::format("{}/{}", registry, repository);
}

// Whether a rule's prefix is for the reference `name`: the whole of it or up to a "/", and "*." for
// any subdomain.
bool Matches(std::string_view prefix, std::string_view name) {
  if (prefix.starts_with("*.")) {
    const std::string_view host = name.substr(0, name.find('/'));
    return host.ends_with(prefix.substr(1));
  }
  return name.starts_with(prefix) && (name.size() == prefix.size() || name[prefix.size()] == '/');
}

std::vector<fs::path> ConfigFiles(const Environment& environment) {
  if (auto only = environment.Get("CONTAINERS_REGISTRIES_CONF")) return {*only};
  std::vector<fs::path> folders;
  if (auto config = environment.Get("XDG_CONFIG_HOME")) {
    folders.push_back(fs::path(*config) / "containers");
  } else if (auto home = environment.Get("HOME")) {
    folders.push_back(fs::path(*home) / ".config/containers");
  }
  folders.emplace_back("/etc/containers");
  std::vector<fs::path> files;
  std::error_code ignored;
  for (const fs::path& folder : folders) {
    if (!fs::exists(folder / "registries.conf", ignored)) continue;
    files.push_back(folder / "registries.conf");
    break;
  }
  std::vector<fs::path> pieces;
  for (auto folder = folders.rbegin(); folder != folders.rend(); ++folder) {
    std::vector<fs::path> here;
    for (const fs::directory_entry& entry :
         fs::directory_iterator(*folder / "registries.conf.d", ignored)) {
      if (entry.path().extension() == ".conf") here.push_back(entry.path());
    }
    std::sort(here.begin(), here.end());
    pieces.insert(pieces.end(), here.begin(), here.end());
  }
  files.insert(files.end(), pieces.begin(), pieces.end());
  return files;
}

std::vector<fs::path> CertificateFolders(const Environment& environment) {
  std::vector<fs::path> folders;
  if (auto config = environment.Get("XDG_CONFIG_HOME")) {
    folders.push_back(fs::path(*config) / "containers/certs.d");
  } else if (auto home = environment.Get("HOME")) {
    folders.push_back(fs::path(*home) / ".config/containers/certs.d");
  }
  folders.emplace_back("/etc/containers/certs.d");
  folders.emplace_back("/etc/docker/certs.d");
  return folders;
}

// A host's folder of certs.d: all *.crt are CAs, NAME.cert with NAME.key the client's own.
std::shared_ptr<const HttpTls> TlsOf(const fs::path& folder) {
  HttpTls tls;
  std::error_code ignored;
  std::vector<fs::path> files;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, ignored)) {
    files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  for (const fs::path& file : files) {
    if (file.extension() == ".crt")
      tls.authorities += layers::ReadFile(file, kLargestConfig) + "\n";
    fs::path key = file;
    key.replace_extension(".key");
    if (file.extension() == ".cert" && tls.certificate.empty() && fs::exists(key, ignored)) {
      tls.certificate = file;
      tls.key = key;
    }
  }
  if (tls.authorities.empty() && tls.certificate.empty()) return nullptr;
  return std::make_shared<const HttpTls>(std::move(tls));
}

}  // namespace

RegistriesConf RegistryConfig::Parse(std::string_view text, std::string_view file) {
  std::variant<TomlValue, specs::Problem> parsed = specs::ParseToml(text, file);
  if (const auto* problem = std::get_if<specs::Problem>(&parsed)) {
    throw specs::Error(specs::ErrorKind::kUsage, problem->Render());
  }
  const TomlValue& document = std::get<TomlValue>(parsed);
  RegistriesConf conf;
  conf.credential_helpers = TextsAt(document, "credential-helpers");
  for (const TomlValue* table : TablesAt(document, "registry")) {
    RegistryRule rule{.prefix = StringAt(*table, "prefix"),
                      .location = StringAt(*table, "location"),
                      .transport = TransportAt(*table),
                      .blocked = FlagAt(*table, "blocked"),
                      .mirrors = {}};
    if (rule.prefix.empty()) rule.prefix = rule.location;
    if (rule.prefix.empty()) {
      throw specs::Error(
          specs::ErrorKind::kUsage,
          fmt::format("{}: a registry has neither prefix nor location", table->where.Render()));
    }
    const bool digest_only = FlagAt(*table, "mirror-by-digest-only");
    for (const TomlValue* mirror : TablesAt(*table, "mirror")) {
      rule.mirrors.push_back(
          {StringAt(*mirror, "location"), TransportAt(*mirror), UseAt(*mirror, digest_only)});
    }
    conf.rules.push_back(std::move(rule));
  }
  return conf;
}

RegistryConfig RegistryConfig::OfHost(const Environment& environment) {
  RegistriesConf all;
  for (const fs::path& file : ConfigFiles(environment)) {
    RegistriesConf conf = Parse(layers::ReadFile(file, kLargestConfig), file.string());
    for (RegistryRule& rule : conf.rules) {
      // A later file's rule for the same prefix replaces the earlier one.
      std::erase_if(all.rules, [&](const RegistryRule& old) { return old.prefix == rule.prefix; });
      all.rules.push_back(std::move(rule));
    }
    if (conf.credential_helpers) all.credential_helpers = std::move(conf.credential_helpers);
  }
  return RegistryConfig(std::move(all), CertificateFolders(environment));
}

std::vector<std::string> RegistryConfig::CredentialHelpers() const {
  return conf_.credential_helpers.value_or(std::vector<std::string>{"containers-auth.json"});
}

const RegistryRule* RegistryConfig::RuleFor(const std::string& name) const {
  const RegistryRule* best = nullptr;
  for (const RegistryRule& rule : conf_.rules) {
    if (!Matches(rule.prefix, name)) continue;
    if (best == nullptr || rule.prefix.size() > best->prefix.size()) best = &rule;
  }
  return best;
}

Endpoint RegistryConfig::At(const std::string& name, Transport transport) const {
  const std::size_t slash = name.find('/');
  Endpoint endpoint{.host = name.substr(0, slash),
                    .repository = slash == std::string::npos ? "" : name.substr(slash + 1),
                    .transport = transport,
                    .tls = nullptr};
  for (const fs::path& folder : certificates_) {
    endpoint.tls = TlsOf(folder / endpoint.host);
    if (endpoint.tls != nullptr) break;
  }
  return endpoint;
}

Endpoint RegistryConfig::ForWriting(std::string_view registry, std::string_view repository) const {
  std::string name = NameOf(registry, repository);
  const RegistryRule* rule = RuleFor(name);
  if (rule == nullptr) return At(name, Transport::kTls);
  if (rule->blocked) {
    throw specs::Error(fmt::format("{} is blocked by registries.conf", name))
        .Found(fmt::format("a rule with blocked = true for \"{}\"", rule->prefix));
  }
  const std::string written = name;
  if (!rule->location.empty() && !rule->prefix.starts_with("*.")) {
    name = rule->location + name.substr(rule->prefix.size());
  }
  Endpoint endpoint = At(name, rule->transport);
  if (name != written) endpoint.written = written;
  return endpoint;
}

Endpoint RegistryConfig::OfServer(std::string_view server) const {
  const std::string name(server);
  const RegistryRule* rule = RuleFor(name);
  return At(name, rule == nullptr ? Transport::kTls : rule->transport);
}

std::vector<Endpoint> RegistryConfig::ForReading(std::string_view registry,
                                                 std::string_view repository, ReadBy by) const {
  const Endpoint itself = ForWriting(registry, repository);
  std::vector<Endpoint> endpoints;
  const std::string name = NameOf(registry, repository);
  if (const RegistryRule* rule = RuleFor(name); rule != nullptr) {
    const std::size_t replaced =
        rule->prefix.starts_with("*.") ? registry.size() : rule->prefix.size();
    for (const RegistryMirror& mirror : rule->mirrors) {
      if (mirror.use == (by == ReadBy::kTag ? MirrorUse::kDigestOnly : MirrorUse::kTagOnly))
        continue;
      endpoints.push_back(At(mirror.location + name.substr(replaced), mirror.transport));
    }
  }
  endpoints.push_back(itself);
  return endpoints;
}

}  // namespace imgbuild::builder
