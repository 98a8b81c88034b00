// Images with docker's media types (version 2, schema 2) in the words of OCI: several tools find no
// others in a layout.
#pragma once

#include <string>

#include "layers/image/image_source.h"

namespace imgbuild::layers {

// Whether some document is of docker's kind.
bool HasDockerTypes(const ImageSource& image);

// OCI's media type for one of docker's; any other comes back as it is.
std::string OciType(const std::string& type);

// The same image: blobs stay as they are, documents get OCI's media types, and with them other
// digests. All else that a document says stays, in its order. One without docker's types comes back
// as it is, byte for byte.
ImageSource AsOci(ImageSource image);

}  // namespace imgbuild::layers
