#include "builder/registry/manifest_fetch.h"

#include <utility>

#include <fmt/format.h>

#include "specs/base/error.h"
#include "specs/base/text.h"
#include "specs/oci/document.h"
#include "specs/oci/json_document.h"
#include "specs/oci/media_types.h"

namespace imgbuild::builder {
namespace {

using specs::Error;
using specs::ErrorKind;

// All kinds that we know, so that the registry converts none into another.
std::vector<HttpHeader> AcceptAll() {
  std::string types;
  for (std::string_view type : {specs::kOciIndex, specs::kOciManifest, specs::kDockerIndex,
                                specs::kDockerManifest, specs::kOciArtifact}) {
    types += (types.empty() ? "" : ", ") + std::string(type);
  }
  return {{"Accept", types}};
}

Error WrongDigest(std::string_view problem, std::string found, std::string expected) {
  return Error(ErrorKind::kVerification, std::string(problem))
      .Found(std::move(found))
      .Expected(std::move(expected));
}

void CheckDigest(const HttpResponse& response, const std::string& reference,
                 const specs::Sha256& digest) {
  const bool by_digest = reference.find(':') != std::string::npos;
  if (by_digest && reference != digest.Oci()) {
    throw WrongDigest("the manifest has another digest", digest.Oci(), reference);
  }
  const std::string header(specs::Trim(response.Header("Docker-Content-Digest")));
  // Of another algorithm, it says nothing that we could compare.
  if (header.starts_with("sha256:") && header != digest.Oci()) {
    throw WrongDigest("the manifest is not what the registry says of it", digest.Oci(), header);
  }
}

// Content-Type without its parameters. Registries that do not know one say octet-stream or nothing;
// then the document itself tells.
std::string TypeOf(const HttpResponse& response) {
  const std::string_view header = response.Header("Content-Type");
  std::string type = specs::ToLower(specs::Trim(header.substr(0, header.find(';'))));
  return type == "application/octet-stream" || type == "application/json" ? "" : type;
}

std::string MediaTypeOf(const HttpResponse& response, std::string_view bytes,
                        const std::string& what) {
  const std::string said = TypeOf(response);
  if (said.find("manifest.v1+") != std::string::npos && said.find("docker") != std::string::npos) {
    throw Error("the registry has the image in docker's schema 1 alone, which is not supported")
        .Hint("have the image pushed again by a current tool");
  }
  if (!said.empty() && !specs::IsDocumentType(said)) {
    throw Error("the registry answers with something that is no manifest")
        .Found(said.substr(0, 100))
        .Expected("an image manifest or index");
  }
  const specs::Document document = specs::ParseDocument(bytes, what);
  if (!document.media_type.empty() && !said.empty() && document.media_type != said) {
    throw Error(ErrorKind::kVerification, "the manifest says another media type than the registry")
        .Found(document.media_type.substr(0, 100))
        .Expected(said);
  }
  const std::string& type = document.media_type.empty() ? said : document.media_type;
  if (specs::IsDocumentType(type)) return type;
  if (!type.empty()) {
    throw Error("the manifest is of an unknown kind").Found(type.substr(0, 100));
  }
  // The OCI image-spec leaves mediaType optional.
  const bool index = document.kind == specs::DocumentKind::kIndex;
  return std::string(index ? specs::kOciIndex : specs::kOciManifest);
}

}  // namespace

std::optional<FetchedManifest> FetchManifest(Registry& registry, const std::string& reference,
                                             int max_tries) {
  const std::string what =
      registry.Name() + (reference.find(':') == std::string::npos ? ":" : "@") + reference;
  return specs::WithContext("while fetching " + what, [&]() -> std::optional<FetchedManifest> {
    HttpResponse response = registry.Send({.path = "/manifests/" + reference,
                                           .headers = AcceptAll(),
                                           .max_body = specs::kMaxDocument,
                                           .max_tries = max_tries});
    if (response.status == 404) return std::nullopt;
    if (response.status != 200) throw registry.Failure("cannot fetch the manifest", response);
    const specs::Sha256 digest = specs::HashOf(response.body);
    CheckDigest(response, reference, digest);
    FetchedManifest fetched;
    fetched.descriptor = {.media_type = MediaTypeOf(response, response.body, what),
                          .digest = digest,
                          .size = response.body.size(),
                          .platform = {},
                          .annotations = {}};
    fetched.bytes = std::move(response.body);
    return fetched;
  });
}

FetchedManifest FetchManifest(Registry& registry, const specs::Descriptor& descriptor,
                              int max_tries) {
  std::optional<FetchedManifest> fetched =
      FetchManifest(registry, descriptor.digest.Oci(), max_tries);
  if (!fetched) {
    throw Error(fmt::format("{} has no manifest {}", registry.Name(), descriptor.digest.Oci()))
        .Hint("the image was pushed in part, or a part of it was deleted");
  }
  if (fetched->descriptor.size != descriptor.size) {
    throw WrongDigest("the manifest has another size than its index says",
                      fmt::format("{} bytes", fetched->descriptor.size),
                      fmt::format("{} bytes", descriptor.size));
  }
  return *std::move(fetched);
}

}  // namespace imgbuild::builder
