// A small signed Debian archive: Packages, Release, InRelease and .debs, served by a FakeHttp.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tests/support/fake_http.h"
#include "tests/support/mini_deb.h"
#include "tests/support/openpgp_signer.h"

namespace imgbuild::support {

// One suite of the archive and how its Release file is written.
struct MiniSuite {
  std::string codename;  // "bookworm"
  std::string suite = "stable";
  std::string date = "Sat, 11 Jul 2026 10:16:37 UTC";
  std::string valid_until;  // "" leaves the field out
  bool by_hash = true;
  std::vector<std::string> architectures = {"amd64", "arm64"};
  std::vector<std::string> components = {"main"};
  std::vector<MiniDeb> packages;

  // The Packages file of one architecture.
  std::string Packages(const std::string& architecture,
                       const std::string& component = "main") const;
  // The Release file, over Packages and Packages.gz.
  std::string Release() const;
};

class MiniArchive {
 public:
  // Addresses of the two mirrors, without slash at the end.
  MiniArchive(FakeHttp& http, std::string archive_url, std::string security_url)
      : http_(http), archive_url_(std::move(archive_url)), security_url_(std::move(security_url)) {}

  // Serves everything of the suite, signed; a codename that ends in "-security" on the security
  // mirror. Only Packages.gz is served, under its path and, if the suite has them, by-hash paths.
  void Publish(const MiniSuite& suite);

  // Where the suite's folder is: "MIRROR/dists/bookworm".
  std::string DistUrl(const std::string& codename) const;

  const OpenPgpSigner& signer() const { return signer_; }

 private:
  FakeHttp& http_;
  std::string archive_url_;
  std::string security_url_;
  OpenPgpSigner signer_;
};

// gzip with a fixed header.
std::string Gzip(const std::string& bytes);

}  // namespace imgbuild::support
