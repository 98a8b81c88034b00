// Bytes that come from a place that may lie: compared with size and digest before anybody sees
// them.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "builder/share/cache_place.h"
#include "layers/io/stream.h"

namespace imgbuild::builder {

// The blob in memory, or written to `sink`, which `restart` has forget what came. Nullopt (false)
// where the place has it no more; throws Error where it cannot be asked, or gives something else
// (kVerification).
std::optional<std::string> ReadVerified(CachePlace& place, const EntryBlob& blob,
                                        std::uint64_t limit);
bool FetchVerified(CachePlace& place, const EntryBlob& blob, layers::Sink& sink,
                   const std::function<void()>& restart);

}  // namespace imgbuild::builder
