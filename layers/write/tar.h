// Tar entries as this program writes them (POSIX.1-2017, pax, "ustar Interchange Format" and "pax
// Header Block"): one form for each entry, nothing in it but what the node says.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "layers/tree/node.h"

namespace imgbuild::layers {

inline constexpr std::size_t kTarBlock = 512;

// Versions the bytes below: part of every key of something that holds tar bytes.
inline constexpr std::string_view kTarVersion = "tar/1";

// Appends the entry's header: 512 bytes, after a pax header where the ustar fields cannot say it.
// The content must follow, then TarPadding(node.size) zero bytes.
// REQUIRES: a canonical path; size 0 unless kFile; a target for links and only for them.
void AppendTarHeader(std::string& out, std::string_view path, const Node& node);

// Zero bytes that fill the content's last block: 0 to 511.
std::size_t TarPadding(std::uint64_t size);

// Bytes that the entry takes: headers, content and padding.
std::uint64_t TarEntrySize(std::string_view path, const Node& node);

// What ends an archive: two blocks of zero bytes.
std::string TarEnd();

}  // namespace imgbuild::layers
