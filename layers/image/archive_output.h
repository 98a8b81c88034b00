// Images as one file: a tar of an OCI layout, or what `docker load` reads.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "layers/image/image.h"
#include "layers/image/image_source.h"
#include "layers/image/write_meter.h"

namespace imgbuild::layers {

// A tar of an OCI layout with `image` under `tags`: what skopeo and podman call oci-archive. The
// file is replaced atomically; equal images give equal bytes.
//
// Here and below, what is copied is hashed meanwhile: a blob that is damaged in the store is
// removed there and an Error (kVerification) thrown, with no file left behind. `meter` may be null;
// it counts the blobs as they stand in the archive, in bytes.
void WriteOciArchive(Store& store, const Image& image, const std::filesystem::path& file,
                     const std::vector<std::string>& tags, WriteMeter* meter = nullptr);
void WriteOciArchive(Store& store, const ImageSource& image, const std::filesystem::path& file,
                     const std::vector<std::string>& tags, WriteMeter* meter = nullptr);

// A tar in the form of `docker save`, version 1.2 (manifest.json), with uncompressed layers, which
// every engine reads. `repo_tags` are full names: "notebook:latest". Throws Error where layers,
// diff ids and sizes are not of one number.
void WriteDockerArchive(Store& store, const PlatformImage& image, const std::filesystem::path& file,
                        const std::vector<std::string>& repo_tags, WriteMeter* meter = nullptr);
// An image of any tool. Throws Error where it is one for several platforms, or no image that
// engines run (an artifact).
void WriteDockerArchive(Store& store, const ImageSource& image, const std::filesystem::path& file,
                        const std::vector<std::string>& repo_tags, WriteMeter* meter = nullptr);

}  // namespace imgbuild::layers
