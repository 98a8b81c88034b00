// From an image's name on the command line to a client of its repository.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "builder/cli/command_line.h"
#include "builder/cli/session.h"
#include "builder/registry/registry.h"
#include "specs/oci/reference.h"

namespace imgbuild::builder {

struct RegistryOptions {
  bool insecure = false;
};

// --insecure, which holds for all registries that the command goes to.
void AddRegistryOptions(Command command, RegistryOptions& options);

// --annotation KEY=VALUE, repeatable.
void AddAnnotationOption(Command command, std::vector<std::string>& annotations);

// "docker://HOST/NAME:TAG", as podman and skopeo write it, or without the transport.
specs::Reference ParseRegistryReference(std::string_view text);

// Where what the reference names is read from, by what the machine says: mirrors first.
std::vector<Endpoint> EndpointsForReading(const specs::Reference& reference);

// A client of the repository there, with the credentials that there are for it.
std::unique_ptr<Registry> OpenEndpoint(HttpClient& http, Endpoint endpoint,
                                       const RegistryOptions& options, Access access);

// The repository as it is written to.
std::unique_ptr<Registry> OpenForWriting(Session& session, const specs::Reference& reference,
                                         const RegistryOptions& options, Access access);

}  // namespace imgbuild::builder
