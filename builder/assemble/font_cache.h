// What programs of the image would work out of its fonts at their first start.
#pragma once

#include <vector>

#include "builder/assemble/package_maker.h"
#include "layers/image/base_image.h"
#include "layers/tree/file_tree.h"

namespace imgbuild::builder {

// The list of fonts that came with matplotlib (layers/unpack/font_list.h), as links where the
// image's user and root would keep it. Nothing where there are fonts that the list does not have:
// where matplotlib looks for a system's, in the packages, in `user` or in `base`, which may be
// null.
layers::ContentTree LinkFontList(const std::vector<ReadyPackage>& packages,
                                 const layers::ContentTree& user, const layers::BaseImage* base);

}  // namespace imgbuild::builder
