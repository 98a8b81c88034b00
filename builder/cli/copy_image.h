// Copying an image from one place to another: what `copy` and `pull` do.
#pragma once

#include <string>

#include "builder/cli/image_access.h"
#include "builder/cli/image_place.h"
#include "builder/cli/session.h"

namespace imgbuild::builder {

enum class CopyReferrers { kNo, kYes };

// Whether docker's media types become those of OCI, which changes the digest.
enum class CopyForm { kAsIs, kOci };

struct CopyRequest {
  ImagePlace from;
  ImagePlace to;
  std::string platform;  // "": all
  CopyReferrers referrers = CopyReferrers::kNo;
  CopyForm form = CopyForm::kAsIs;
  RegistryOptions registry;
};

// Tells what it did through the session's progress. Throws Error (kUsage) for what cannot be asked
// for, before any work.
void CopyImage(Session& session, const CopyRequest& request);

}  // namespace imgbuild::builder
