// Media types of the OCI image-spec v1.1 (media-types.md) and of docker's image tarballs.
#pragma once

#include <string_view>

namespace imgbuild::specs {

inline constexpr std::string_view kOciIndex = "application/vnd.oci.image.index.v1+json";
inline constexpr std::string_view kOciManifest = "application/vnd.oci.image.manifest.v1+json";
inline constexpr std::string_view kOciConfig = "application/vnd.oci.image.config.v1+json";
inline constexpr std::string_view kOciLayer = "application/vnd.oci.image.layer.v1.tar";
inline constexpr std::string_view kOciLayerGzip = "application/vnd.oci.image.layer.v1.tar+gzip";
inline constexpr std::string_view kOciLayerZstd = "application/vnd.oci.image.layer.v1.tar+zstd";

// annotations.md
inline constexpr std::string_view kAnnotationRefName = "org.opencontainers.image.ref.name";

}  // namespace imgbuild::specs
