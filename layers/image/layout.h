// OCI image layouts: a directory with oci-layout, index.json and blobs/ (OCI image-spec v1.1,
// image-layout.md).
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "layers/image/image.h"
#include "layers/image/image_source.h"
#include "layers/image/write_meter.h"
#include "specs/oci/layout_index.h"

namespace imgbuild::layers {

struct LayoutResult {
  std::uint64_t blobs_placed = 0;  // that were not there, or had changed
  std::uint64_t bytes_placed = 0;
};

// Makes `directory` a layout that has `image` under each of `tags`, besides what other tags it had.
//
// Blobs are reflinked from the store where the file system can, else hard-linked unless we are root
// (who would write through a link unhindered), else copied. One that was placed before is not
// touched while its inode, size and times are as they were then; one that changed is hashed and
// replaced if it is wrong. What is placed is hashed unless the store was given it just now, and on
// the disk before index.json names it: a power loss leaves the old image or the new one. Where
// the store's own copy is wrong, too, it is removed there and an Error (kVerification) thrown:
// another build makes it anew. index.json is replaced atomically, last: a reader sees the old image
// or the new one.
//
// Other tools may write to the same layout. Their entries stay as they stand. Blobs that this
// program placed and no entry leads to any more are removed, unless some entry leads to what cannot
// be told; blobs that others placed never.
//
// A kill at any instant leaves what the next call goes on with. A directory that holds anything
// else than a layout, begun or whole, is refused.
//
// `meter` may be null; it counts the blobs that are not there yet, in bytes.
LayoutResult WriteLayout(Store& store, const Image& image, const std::filesystem::path& directory,
                         const std::vector<std::string>& tags, WriteMeter* meter = nullptr);
// An image of any kind from anywhere; what does not lie in the store is copied from where it lies.
LayoutResult WriteLayout(Store& store, const ImageSource& image,
                         const std::filesystem::path& directory,
                         const std::vector<std::string>& tags, WriteMeter* meter = nullptr);

// Throws Error where `directory` is neither such a place nor a layout. Changes nothing.
void RequireLayoutPlace(const std::filesystem::path& directory);

// The content of oci-layout.
inline constexpr std::string_view kLayoutMarker = R"({"imageLayoutVersion":"1.0.0"})";

// index.json with `root` under `tags`, keeping the entries of `index` with other names.
specs::LayoutIndex TaggedIndex(specs::LayoutIndex index, const specs::Descriptor& root,
                               const std::vector<std::string>& tags);

}  // namespace imgbuild::layers
