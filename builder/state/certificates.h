// The image's certificate authorities, as update-ca-certificates(8) and c_rehash lay them out.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "builder/state/package_view.h"
#include "builder/state/state.h"
#include "builder/state/state_files.h"

namespace imgbuild::builder {

// etc/ca-certificates.conf, etc/ssl/certs with a link for each certificate and for its subject's
// hash, the bundle etc/ssl/certs/ca-certificates.crt, and the spec's own certificates in
// usr/local/share/ca-certificates, one a file. Does nothing without the package ca-certificates;
// then certificates of the spec's own are an Error.
void AddCertificates(const StateInput& input, const PackageView& view, StateFiles& files);

struct CertificateFile {
  std::string path;  // in the image
  std::string text;
};

// The spec's own as files below usr/local/share/ca-certificates. OpenSSL looks up a folder's files
// by one subject each, so that a text of several becomes several files: corp.crt, or corp-1.crt and
// corp-2.crt. Throws Error (kUsage) where two have the same name.
std::vector<CertificateFile> LocalCertificates(const std::vector<ExtraCertificate>& certificates);

// What update-ca-certificates(8) calls it in etc/ssl/certs: "corp (1).crt" -> "corp_=1=.pem"
std::string PemName(std::string_view path);

}  // namespace imgbuild::builder
