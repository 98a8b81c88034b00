// Who an image knows: passwd(5) and group(5) of its layers.
#pragma once

#include <string>

#include "layers/image/image.h"
#include "layers/store/store.h"

namespace imgbuild::layers {

// The contents of /etc/passwd and /etc/group; "" for one that is not there.
struct ImageAccounts {
  std::string passwd;
  std::string group;

  bool operator==(const ImageAccounts&) const = default;
};

// Reads layers from the top, until both were found. Throws Error where one that has to be read is
// not in the store, or is damaged there.
ImageAccounts ReadAccounts(const Store& store, const PlatformImage& image);

}  // namespace imgbuild::layers
