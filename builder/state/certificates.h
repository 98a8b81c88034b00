// The image's certificate authorities, as update-ca-certificates(8) and c_rehash lay them out.
#pragma once

#include "builder/state/package_view.h"
#include "builder/state/state.h"
#include "builder/state/state_files.h"

namespace imgbuild::builder {

// etc/ca-certificates.conf, etc/ssl/certs with a link for each certificate and for its subject's
// hash, the bundle etc/ssl/certs/ca-certificates.crt, and the spec's own certificates in
// usr/local/share/ca-certificates, one a file. Does nothing without the package ca-certificates;
// then certificates of the spec's own are an Error.
void AddCertificates(const StateInput& input, const PackageView& view, StateFiles& files);

}  // namespace imgbuild::builder
