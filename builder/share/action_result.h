// A cache entry as an ActionResult of the Remote Execution API, so that servers which check what
// is put into their action cache take it, and keep it no longer than the blobs it names
// (remote-apis, build/bazel/remote/execution/v2/remote_execution.proto; Protocol Buffers,
// "Encoding").
//
// output_files (2) are the entry's blobs: path (1) is the name, digest (2) has hash (1), lower-case
// hexadecimal, and size_bytes (2). stdout_raw (5) is the document.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "builder/share/cache_entry.h"

namespace imgbuild::builder {

// ParseActionResult(RenderActionResult(entry)) == entry. Parsing passes over fields it does not
// know; nullopt for what is no such message, or names more than kMostBlobs blobs.
inline constexpr std::size_t kMostBlobs = 256;
std::string RenderActionResult(const CacheEntry& entry);
std::optional<CacheEntry> ParseActionResult(std::string_view bytes);

}  // namespace imgbuild::builder
