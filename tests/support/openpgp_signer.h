// An OpenPGP key made on the spot, and what it signs.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace imgbuild::support {

class OpenPgpSigner {
 public:
  // Generates an Ed25519 key for that user id.
  explicit OpenPgpSigner(const std::string& user_id = "Mini Archive");
  ~OpenPgpSigner();
  OpenPgpSigner(OpenPgpSigner&&) noexcept;
  OpenPgpSigner& operator=(OpenPgpSigner&&) noexcept;

  std::string PublicKey() const;         // binary
  std::string ArmoredPublicKey() const;  // ASCII armor
  std::string Fingerprint() const;       // of the primary key, upper-case hex
  // RFC 4880, 7.
  std::string ClearSign(std::string_view text) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace imgbuild::support
