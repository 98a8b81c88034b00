// A folder copied with all that makes an image's files what they are.
#pragma once

#include <string>

namespace imgbuild::builder {

// Copies all below the folder `from` into the folder `to`, which is there: contents (shared with
// the original until one is written to, where the file system can do that), modes, times, owners as
// far as the caller may give files away, and links as they are. Hard links become files of their
// own; what is neither file, folder nor link is passed over. Throws Error where something cannot be
// read or written.
void CopyTree(const std::string& from, const std::string& to);

}  // namespace imgbuild::builder
