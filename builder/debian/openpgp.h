// Clear-signed text (RFC 4880, 7) checked against a keyring. openpgp.cc is the one file that knows
// the OpenPGP library.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace imgbuild::builder {

struct VerifiedText {
  std::string text;                  // exactly what was signed, nothing around it
  std::vector<std::string> signers;  // primary keys' fingerprints of the valid signatures, hex
};

// Files of OpenPGP public keys, binary or armored.
struct Keyring {
  std::vector<std::filesystem::path> files;

  // The files' paths, for messages.
  std::string Describe() const;
};

// The host's keys of the Debian archive: the first of the places where distributions put them.
// Throws Error (kVerification) where there are none, naming the places and the package.
Keyring HostDebianKeyring();

// The text, if at least one signature is valid and by a key of the keyring. Throws Error
// (kVerification) otherwise, naming `what`, the keys that signed and the keyring: text that is not
// clear-signed, was changed, or is signed by nobody known. Throws Error where a key file cannot be
// read or holds no key. Untrusted bytes are parsed in a process of their own. Thread-safe.
VerifiedText VerifyClearSigned(std::string_view text, const Keyring& keyring,
                               std::string_view what);

}  // namespace imgbuild::builder
