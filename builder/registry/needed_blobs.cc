#include "builder/registry/needed_blobs.h"

#include <fmt/format.h>

#include "builder/registry/blob_fetch.h"
#include "layers/io/in_parallel.h"
#include "specs/base/error.h"
#include "specs/base/url.h"

namespace imgbuild::builder {
namespace {

using specs::Descriptor;

bool Mount(Registry& target, const std::string& from, const Descriptor& blob) {
  HttpResponse response;
  try {
    response = target.Send(
        {.method = "POST",
         .path = fmt::format("/blobs/uploads/?mount={}&from={}",
                             specs::PercentEncode(blob.digest.Oci()), specs::PercentEncode(from)),
         .mount_from = from});
  } catch (const specs::Error& error) {  // no access to that repository, say; it is sent then
    if (error.kind() == specs::ErrorKind::kInterrupted) throw;
    return false;
  }
  if (response.status == 201) return true;
  // It began an upload instead, which nobody will go on with.
  if (response.status == 202) {
    try {
      target.Send({.method = "DELETE", .path = target.Location(response), .max_tries = 1});
    } catch (const specs::Error& error) {
      if (error.kind() == specs::ErrorKind::kInterrupted) throw;
    }
  }
  return false;
}

}  // namespace

bool HasManifest(Registry& registry, const Descriptor& manifest) {
  const HttpResponse response = registry.Send({.method = "HEAD",
                                               .path = "/manifests/" + manifest.digest.Oci(),
                                               .headers = {{"Accept", manifest.media_type}}});
  if (response.status == 404) return false;
  if (response.status != 200) throw registry.Failure("cannot ask for a manifest", response);
  const std::string_view digest = response.Header("Docker-Content-Digest");
  return digest.empty() || digest == manifest.digest.Oci();
}

std::vector<Descriptor> NeededBlobs(Registry& target, PushMemory& memory,
                                    const std::string& sibling,
                                    const std::vector<Descriptor>& blobs, int jobs) {
  const Endpoint& endpoint = target.endpoint();
  const std::string& repository = endpoint.repository;
  std::vector<char> needed(blobs.size(), 0);  // not bool: threads write side by side
  layers::InParallel(blobs.size(), jobs, [&](std::size_t i) {
    const Descriptor& blob = blobs[i];
    const std::string home = memory.HomeOf(endpoint.host, repository, blob.digest);
    bool there = HasBlob(target, blob);
    for (const std::string& from : {sibling, home}) {
      if (there || from.empty() || from == repository) continue;
      there = Mount(target, from, blob);
    }
    if (there) {
      memory.RememberHome(endpoint.host, repository, blob.digest);
    } else {
      needed[i] = 1;
    }
  });
  std::vector<Descriptor> result;
  for (std::size_t i = 0; i < blobs.size(); ++i) {
    if (needed[i] != 0) result.push_back(blobs[i]);
  }
  return result;
}

}  // namespace imgbuild::builder
