#include "builder/state/certificate.h"

#include <memory>

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "specs/base/error.h"

namespace imgbuild::builder {
namespace {

constexpr std::string_view kCertificateBegin = "-----BEGIN CERTIFICATE-----";
constexpr std::string_view kCertificateEnd = "-----END CERTIFICATE-----";

struct Free {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(unsigned char* bytes) const { OPENSSL_free(bytes); }
};

Certificate Read(std::string_view pem, std::string_view file) {
  std::unique_ptr<BIO, Free> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  std::unique_ptr<X509, Free> x509(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
  unsigned char* bytes = nullptr;
  const int size = x509 ? i2d_X509(x509.get(), &bytes) : -1;
  if (size <= 0) {
    throw specs::Error(fmt::format("{} has a damaged certificate", file))
        .Expected("X.509 certificates in PEM")
        .Hint("\"openssl x509 -in FILE -text\" shows what is in it");
  }
  std::unique_ptr<unsigned char, Free> der(bytes);
  Certificate certificate;
  certificate.subject_hash = static_cast<std::uint32_t>(
      X509_NAME_hash_ex(X509_get_subject_name(x509.get()), nullptr, nullptr, nullptr));
  certificate.fingerprint = specs::HashOf(
      std::string_view(reinterpret_cast<const char*>(der.get()), static_cast<std::size_t>(size)));
  certificate.pem = std::string(pem) + "\n";
  return certificate;
}

}  // namespace

std::vector<Certificate> ReadCertificates(std::string_view text, std::string_view file) {
  std::vector<Certificate> certificates;
  for (std::size_t at = text.find(kCertificateBegin); at != std::string_view::npos;
       at = text.find(kCertificateBegin, at)) {
    std::size_t end = text.find(kCertificateEnd, at);
    end = end == std::string_view::npos ? text.size() : end + kCertificateEnd.size();
    certificates.push_back(Read(text.substr(at, end - at), file));
    at = end;
  }
  if (certificates.empty()) {
    throw specs::Error(fmt::format("{} has no certificate", file))
        .Expected("X.509 certificates in PEM, \"-----BEGIN CERTIFICATE-----\"")
        .Hint("\"openssl x509 -inform der -in FILE -out FILE.pem\" converts from DER");
  }
  return certificates;
}

}  // namespace imgbuild::builder
