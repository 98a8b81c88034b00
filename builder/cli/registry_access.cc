#include "builder/cli/registry_access.h"

#include <CLI/CLI.hpp>

#include "builder/host/environment.h"
#include "builder/registry/credential_finder.h"
#include "builder/registry/registry_config.h"
#include "specs/base/error.h"

namespace imgbuild::builder {

void AddRegistryOptions(CLI::App& command, RegistryOptions& options) {
  command.add_flag("--insecure", options.insecure,
                   "Take any certificate, and plain HTTP where there is no TLS");
}

void AddAnnotationOption(CLI::App& command, std::vector<std::string>& annotations) {
  command
      .add_option("--annotation", annotations,
                  "On the image's manifests and index, leaving its layers as they are; may be "
                  "repeated")
      ->type_name("KEY=VALUE")
      ->take_all()
      ->allow_extra_args(false);
}

specs::Reference ParseRegistryReference(std::string_view text) {
  constexpr std::string_view kTransport = "docker://";
  if (text.starts_with(kTransport)) text.remove_prefix(kTransport.size());
  return specs::ParseReference(text);
}

std::unique_ptr<Registry> OpenForWriting(Session& session, const specs::Reference& reference,
                                         const RegistryOptions& options, Access access) {
  if (session.connectivity() == Connectivity::kOffline) {
    throw specs::Error(specs::ErrorKind::kUsage, "--offline leaves no way to a registry");
  }
  const Environment environment = Environment::OfProcess();
  Endpoint endpoint =
      RegistryConfig::OfHost(environment).ForWriting(reference.registry, reference.repository);
  if (options.insecure) endpoint.transport = Transport::kFallback;
  Credentials credentials = CredentialFinder(environment).Find(endpoint.host, endpoint.repository);
  return std::make_unique<Registry>(session.http(), std::move(endpoint), std::move(credentials),
                                    access);
}

}  // namespace imgbuild::builder
