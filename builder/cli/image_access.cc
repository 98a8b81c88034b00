#include "builder/cli/image_access.h"

#include <cassert>
#include <utility>

#include <fmt/format.h>

#include "builder/cli/outputs.h"
#include "layers/image/compress_layers.h"
#include "layers/image/docker_archive_origin.h"
#include "layers/image/image_blobs.h"
#include "layers/image/layout_origin.h"
#include "layers/image/oci_archive_origin.h"
#include "layers/write/compress.h"
#include "specs/base/error.h"

namespace imgbuild::builder {
namespace {

template <typename Origin>
FoundImage Found(std::unique_ptr<Origin> origin) {
  FoundImage found;
  const std::string& name = origin->name();
  if constexpr (std::is_same_v<Origin, layers::DockerArchiveOrigin>) {
    found.full_name = name;
    if (!name.empty()) found.tag = specs::ParseImageName(name).tag;
  } else {
    found.tag = name;
  }
  found.origin = std::move(origin);
  return found;
}

FoundImage OpenRegistryImage(Session& session, const ImagePlace& place,
                             const RegistryOptions& options) {
  const specs::Reference& reference = place.reference;
  auto origin = std::make_unique<RegistryOrigin>(
      OpenForReading(session, reference, options), session.store(), ReferenceText(reference),
      session.progress(), PullOptions{.down = &session.down_hosts()});
  FoundImage found;
  found.registry = origin.get();
  found.tag = !reference.tag.empty() || reference.digest ? reference.tag : "latest";
  if (!found.tag.empty()) found.full_name = reference.Name() + ":" + found.tag;
  found.origin = std::move(origin);
  return found;
}

Output OutputOf(const ImagePlace& place) {
  Output output{.kind = place.kind == PlaceKind::kOci          ? OutputKind::kOci
                        : place.kind == PlaceKind::kOciArchive ? OutputKind::kOciArchive
                                                               : OutputKind::kDockerArchive,
                .path = place.path,
                .tags = {}};
  if (!place.name.empty()) output.tags = {place.name};
  return output;
}

// What was damaged in the cache is gone there.
void TellReadAgain(Session& session, const specs::Error& error) {
  session.progress().Detail(fmt::format("{}; it is read again", error.message()));
}

}  // namespace

FoundImage OpenImage(Session& session, const ImagePlace& place, const RegistryOptions& options) {
  switch (place.kind) {
    case PlaceKind::kRegistry:
      return OpenRegistryImage(session, place, options);
    case PlaceKind::kOci:
      return Found(std::make_unique<layers::LayoutOrigin>(place.path, place.name));
    case PlaceKind::kOciArchive:
      return Found(
          std::make_unique<layers::OciArchiveOrigin>(session.store(), place.path, place.name));
    case PlaceKind::kDockerArchive:
      return Found(
          std::make_unique<layers::DockerArchiveOrigin>(session.store(), place.path, place.name));
  }
  return {};
}

std::vector<std::unique_ptr<Registry>> OpenForReading(Session& session,
                                                      const specs::Reference& reference,
                                                      const RegistryOptions& options) {
  if (session.connectivity() == Connectivity::kOffline) {
    throw specs::Error(specs::ErrorKind::kUsage, "--offline leaves no way to a registry");
  }
  std::vector<std::unique_ptr<Registry>> registries;
  for (Endpoint& endpoint : EndpointsForReading(reference)) {
    registries.push_back(OpenEndpoint(session.http(), std::move(endpoint), options, Access::kPull));
  }
  return registries;
}

layers::ImageSource ReadForRegistry(Session& session, PlaceKind kind, layers::ImageOrigin& origin,
                                    const std::string& platform) {
  layers::ImageSource image = layers::ReadImage(origin, platform);
  if (kind != PlaceKind::kDockerArchive) return image;
  const auto compress = [&](layers::ImageSource plain) {
    return layers::CompressLayers(session.store(), std::move(plain),
                                  *layers::MakeCodec(layers::Compression::kZstd),
                                  session.executor());
  };
  try {
    return compress(image);
  } catch (const specs::Error& error) {
    if (error.kind() != specs::ErrorKind::kVerification) throw;
    layers::RemoveDamaged(session.store(), image);  // all of them, not the first alone
    TellReadAgain(session, error);
  }
  return compress(layers::ReadImage(origin, platform));
}

void ReadAndPush(Session& session, const std::function<layers::ImageSource()>& read,
                 const std::function<void(const layers::ImageSource&)>& push) {
  const layers::ImageSource image = read();
  try {
    push(image);
    return;
  } catch (const specs::Error& error) {
    if (error.kind() != specs::ErrorKind::kVerification ||
        !layers::RemoveDamaged(session.store(), image)) {
      throw;
    }
    TellReadAgain(session, error);
  }
  push(read());
}

void CheckPlace(const ImagePlace& place) {
  specs::ImageSection section;
  section.platforms.resize(1);
  CheckOutput(OutputOf(place), section);
}

void WriteImage(Session& session, const ImagePlace& place, const layers::ImageSource& image) {
  assert(place.kind != PlaceKind::kRegistry);
  WriteOutput(OutputOf(place), image, session.store(), session.progress());
}

ImagePlace WithName(ImagePlace place, const FoundImage& found) {
  if (!place.name.empty()) {
    if (place.kind == PlaceKind::kDockerArchive && specs::ParseImageName(place.name).tag.empty()) {
      place.name += ":latest";  // engines need one
    }
    return place;
  }
  if (place.kind == PlaceKind::kDockerArchive) {
    place.name = found.full_name;  // "" loads without a name
  } else if (place.kind != PlaceKind::kRegistry) {
    place.name = found.tag.empty() ? "latest" : found.tag;
  }
  return place;
}

}  // namespace imgbuild::builder
