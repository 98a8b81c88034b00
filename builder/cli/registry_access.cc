#include "builder/cli/registry_access.h"

#include <utility>

#include "builder/host/environment.h"
#include "builder/registry/credential_finder.h"
#include "builder/registry/registry_config.h"
#include "specs/base/error.h"

namespace imgbuild::builder {

void AddRegistryOptions(Command command, RegistryOptions& options) {
  command.AddFlag("--insecure", options.insecure,
                  "Of every registry, take any certificate, and plain HTTP where there is no TLS");
}

void AddAnnotationOption(Command command, std::vector<std::string>& annotations) {
  command
      .AddOption("--annotation", annotations,
                 "On the image's manifests and index, leaving its layers as they are; may be "
                 "repeated")
      .TypeName("KEY=VALUE")
      .Repeatable();
}

specs::Reference ParseRegistryReference(std::string_view text) {
  constexpr std::string_view kTransport = "docker://";
  if (text.starts_with(kTransport)) text.remove_prefix(kTransport.size());
  return specs::ParseReference(text);
}

std::unique_ptr<Registry> OpenEndpoint(HttpClient& http, Endpoint endpoint,
                                       const RegistryOptions& options, Access access) {
  const Environment environment = Environment::OfProcess();
  const RegistryConfig config = RegistryConfig::OfHost(environment);
  const CredentialFinder finder(environment, config.CredentialHelpers());
  if (options.insecure) endpoint.transport = Transport::kFallback;
  Credentials credentials = finder.Find(endpoint);
  return std::make_unique<Registry>(
      http, std::move(endpoint), std::move(credentials), access,
      [config](std::string_view server) { return config.OfServer(server); });
}

std::vector<Endpoint> EndpointsForReading(const specs::Reference& reference) {
  return RegistryConfig::OfHost(Environment::OfProcess())
      .ForReading(reference.registry, reference.repository,
                  reference.digest ? ReadBy::kDigest : ReadBy::kTag);
}

std::unique_ptr<Registry> OpenForWriting(Session& session, const specs::Reference& reference,
                                         const RegistryOptions& options, Access access) {
  if (session.connectivity() == Connectivity::kOffline) {
    throw specs::Error(specs::ErrorKind::kUsage, "--offline leaves no way to a registry");
  }
  return OpenEndpoint(session.http(),
                      RegistryConfig::OfHost(Environment::OfProcess())
                          .ForWriting(reference.registry, reference.repository),
                      options, access);
}

}  // namespace imgbuild::builder
