// X.509 certificates in PEM (RFC 5280, RFC 7468) as OpenSSL's folders of certificates name them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "specs/base/digest.h"

namespace imgbuild::builder {

struct Certificate {
  std::uint32_t subject_hash = 0;  // X509_NAME_hash: "%08x" names the links in etc/ssl/certs
  specs::Sha256 fingerprint;       // of the DER encoding
  std::string pem;                 // this certificate alone, with the text's own line lengths
};

// All certificates of a text, in order; what stands between them is passed over. Throws Error,
// naming `file`, where a certificate is damaged or there is none at all.
std::vector<Certificate> ReadCertificates(std::string_view text, std::string_view file);

}  // namespace imgbuild::builder
