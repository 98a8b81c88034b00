// One platform of an image.
#pragma once

#include <vector>

#include "builder/assemble/app_files.h"
#include "builder/assemble/build_image.h"
#include "builder/assemble/pyc_memo.h"
#include "builder/assemble/recipe_annotations.h"

namespace imgbuild::builder {

// The user's files, read once for all platforms and for the image's key.
struct UserContent {
  std::vector<AppFiles> files;            // parallel to Spec::files
  std::vector<std::string> certificates;  // PEM texts, parallel to Spec::system.certificates
};

struct PlatformResult {
  layers::PlatformImage image;
  BuiltPlatform built;
};

// Only has all packages fetched, verified and processed in the store. What is compiled for one
// platform is not compiled again for the next with the same memo.
void PreparePlatform(const BuildRequest& request, const specs::LockedPlatform& locked,
                     const layers::Codec& codec, PycMemo& memo, BuildContext context);

// With what the image is based on: OCI image-spec v1.1, annotations.md, "Pre-Defined Annotation
// Keys".
Annotations WithBase(Annotations annotations, const specs::LockedBase& base);

// The recipe keys of all its packages.
std::vector<specs::Sha256> PackageKeys(const BuildRequest& request,
                                       const specs::LockedPlatform& locked,
                                       const layers::Codec& codec, BuildContext context);

// What the store has for one platform. Of it, nothing is made or fetched.
PlatformPreview PreviewPlatform(const BuildRequest& request, const specs::LockedPlatform& locked,
                                const UserContent& user, const layers::Codec& codec,
                                BuildContext context);

// `annotations` are the manifest's.
PlatformResult BuildPlatform(const BuildRequest& request, const specs::LockedPlatform& locked,
                             const UserContent& user, const layers::Codec& codec,
                             const Annotations& annotations, BuildContext context);

}  // namespace imgbuild::builder
