#include "builder/cli/shared_caches.h"

#include <algorithm>
#include <utility>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "builder/registry/credential_finder.h"
#include "builder/registry/registry_config.h"
#include "builder/share/cache_client.h"
#include "builder/share/cache_credentials.h"
#include "builder/share/http_place.h"
#include "builder/share/registry_place.h"
#include "specs/base/error.h"

namespace imgbuild::builder {
namespace {

bool IsUrl(std::string_view text) {
  return text.starts_with("http://") || text.starts_with("https://");
}

std::unique_ptr<CachePlace> OpenPlace(Session& session, const std::string& text,
                                      const RegistryOptions& options) {
  const Environment environment = Environment::OfProcess();
  auto client = std::make_unique<CacheClient>(session.cache_http());
  if (IsUrl(text)) {
    return std::make_unique<HttpPlace>(std::move(client), text, CacheHeaders(environment, text));
  }
  const specs::Reference reference =
      specs::WithContext("in --cache-from " + text, [&] { return ParseRegistryReference(text); });
  Endpoint endpoint =
      RegistryConfig::OfHost(environment).ForWriting(reference.registry, reference.repository);
  if (options.insecure) endpoint.transport = Transport::kFallback;
  Credentials credentials = CredentialFinder(environment).Find(endpoint.host, endpoint.repository);
  auto registry = std::make_unique<Registry>(*client, std::move(endpoint), std::move(credentials),
                                             Access::kPull);
  std::string name = reference.digest ? reference.digest->Oci() : reference.tag;
  if (name.empty()) name = "latest";
  return std::make_unique<RegistryPlace>(std::move(client), std::move(registry), std::move(name));
}

}  // namespace

void AddCacheOptions(CLI::App& command, CacheOptions& options) {
  command
      .add_option("--cache-from", options.from,
                  "Believe what is claimed there, and take it instead of making it: an image or "
                  "cache in a registry, or the URL of an HTTP cache; may be repeated")
      ->type_name("docker://HOST/NAME[:TAG]|URL")
      ->take_all()
      ->allow_extra_args(false);
}

std::unique_ptr<SharedPlaces> OpenSharedCaches(Session& session, const CacheOptions& options,
                                               const RegistryOptions& registry) {
  std::vector<std::string> texts = options.from;
  for (const std::string& text : session.source_config().cache_from) {
    if (std::ranges::find(texts, text) == texts.end()) texts.push_back(text);
  }
  if (texts.empty() || session.connectivity() == Connectivity::kOffline) return nullptr;
  std::vector<std::unique_ptr<CachePlace>> places;
  for (const std::string& text : texts) places.push_back(OpenPlace(session, text, registry));
  return std::make_unique<SharedPlaces>(std::move(places), session.progress());
}

}  // namespace imgbuild::builder
