// The user of an image's configuration (OCI image-spec v1.1, config.md, "User") as numbers.
#pragma once

#include <string_view>

#include "builder/rootless/id_maps.h"

namespace imgbuild::builder {

// "", "1000", "1000:0", "www-data" or "www-data:adm". A name is looked up in `passwd` and `group`,
// the image's own; so is the group of a user without one, which is 0 where that is not known.
// Throws Error for a name that is in neither.
UserIds ImageUser(std::string_view user, std::string_view passwd, std::string_view group);

}  // namespace imgbuild::builder
