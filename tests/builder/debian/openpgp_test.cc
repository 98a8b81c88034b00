#include "builder/debian/openpgp.h"

#include <random>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "layers/io/atomic_file.h"
#include "specs/base/error.h"
#include "tests/support/openpgp_signer.h"
#include "tests/support/temp_folder.h"

namespace imgbuild::builder {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class OpenPgp : public ::testing::Test {
 protected:
  Keyring KeyringOf(const std::string& name, const std::string& key) {
    layers::WriteFileAtomically(folder_.path() / name, key);
    return Keyring{{folder_.path() / name}};
  }

  static std::string Failure(std::string_view text, const Keyring& keyring) {
    try {
      VerifyClearSigned(text, keyring, "the Release file of bookworm");
    } catch (const specs::Error& error) {
      EXPECT_EQ(error.kind(), specs::ErrorKind::kVerification);
      return error.what();
    }
    ADD_FAILURE() << "was verified";
    return "";
  }

  support::TempFolder folder_;
  support::OpenPgpSigner signer_;
  const std::string text_ = "Suite: stable\nDate: x\n\n- dashes -\nend\n";
};

TEST_F(OpenPgp, BinaryAndArmoredKeysVerify) {
  std::string message = signer_.ClearSign(text_);
  for (const Keyring& keyring :
       {KeyringOf("a.gpg", signer_.PublicKey()), KeyringOf("b.asc", signer_.ArmoredPublicKey())}) {
    VerifiedText verified = VerifyClearSigned(message, keyring, "it");
    EXPECT_THAT(verified.signers, ElementsAre(signer_.Fingerprint()));
    EXPECT_THAT(verified.text, HasSubstr("Suite: stable\n"));
    EXPECT_THAT(verified.text, HasSubstr("\n- dashes -\n"));
    EXPECT_THAT(verified.text, Not(HasSubstr("PGP")));
  }
}

TEST_F(OpenPgp, OnlyWhatWasSignedComesBack) {
  Keyring keyring = KeyringOf("a.gpg", signer_.PublicKey());
  std::string message = signer_.ClearSign(text_) + "Suite: forged\n";
  EXPECT_THAT(VerifyClearSigned(message, keyring, "it").text, Not(HasSubstr("forged")));
}

TEST_F(OpenPgp, RefusesWhatIsNotSignedByAKnownKey) {
  std::string message = signer_.ClearSign(text_);
  support::OpenPgpSigner other("Somebody Else");
  Keyring keyring = KeyringOf("other.gpg", other.PublicKey());
  std::string failure = Failure(message, keyring);
  EXPECT_THAT(failure, HasSubstr(signer_.Fingerprint().substr(24) + " (not in the keyring)"));
  EXPECT_THAT(failure, HasSubstr("other.gpg"));
}

TEST_F(OpenPgp, RefusesChangedCutAndForeignText) {
  Keyring keyring = KeyringOf("a.gpg", signer_.PublicKey());
  std::string message = signer_.ClearSign(text_);
  std::string changed = message;
  changed.replace(changed.find("stable"), 6, "oldest");
  EXPECT_THAT(Failure(changed, keyring), HasSubstr("Invalid signature"));
  Failure(message.substr(0, message.size() / 2), keyring);
  Failure("", keyring);
  EXPECT_THAT(Failure("<html>log in</html>", keyring), HasSubstr("<html>log in</html>"));
  Failure("junk\n" + message, keyring);
  Failure("-----BEGIN PGP SIGNED MESSAGE-----\n\nno signature\n", keyring);
}

TEST_F(OpenPgp, SaysWhenTheKeyringHoldsNothing) {
  std::string message = signer_.ClearSign(text_);
  Failure(message, KeyringOf("empty.gpg", ""));
  Failure(message, KeyringOf("text.gpg", "no keys here\n"));
  EXPECT_THROW(VerifyClearSigned(message, Keyring{{folder_.path() / "absent.gpg"}}, "it"),
               specs::Error);
}

TEST_F(OpenPgp, MutationsNeverPassAndNothingIsPrinted) {
  Keyring keyring = KeyringOf("a.gpg", signer_.PublicKey());
  const std::string message = signer_.ClearSign(text_);
  const std::string expected = VerifyClearSigned(message, keyring, "it").text;
  std::mt19937 random(5);
  ::testing::internal::CaptureStderr();
  for (int i = 0; i < 40; ++i) {
    std::string mutated = message;
    for (int n = static_cast<int>(random() % 4); n >= 0; --n) {
      mutated[random() % mutated.size()] = static_cast<char>(random());
    }
    try {
      EXPECT_EQ(VerifyClearSigned(mutated, keyring, "it").text, expected);
    } catch (const specs::Error&) {
    }
  }
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

TEST_F(OpenPgp, SeveralThreadsVerifyAtOnce) {
  Keyring keyring = KeyringOf("a.gpg", signer_.PublicKey());
  const std::string message = signer_.ClearSign(text_);
  std::vector<std::thread> threads;
  std::atomic<int> good = 0;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 5; ++n) {
        good += VerifyClearSigned(message, keyring, "it").signers.size() == 1 ? 1 : 0;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, 20);
}

}  // namespace
}  // namespace imgbuild::builder
