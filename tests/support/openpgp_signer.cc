#include "tests/support/openpgp_signer.h"

#include <cstdint>
#include <stdexcept>

#include <rnp/rnp.h>
#include <rnp/rnp_err.h>

namespace imgbuild::support {
namespace {

void Check(rnp_result_t result, const char* what) {
  if (result != RNP_SUCCESS) {
    throw std::runtime_error(std::string(what) + ": " + rnp_result_to_string(result));
  }
}

std::string TakeOutput(rnp_output_t output) {
  std::uint8_t* bytes = nullptr;
  std::size_t size = 0;
  Check(rnp_output_memory_get_buf(output, &bytes, &size, false), "output");
  std::string text(reinterpret_cast<const char*>(bytes), size);
  rnp_output_destroy(output);
  return text;
}

}  // namespace

struct OpenPgpSigner::State {
  rnp_ffi_t ffi = nullptr;
  rnp_key_handle_t key = nullptr;

  ~State() {
    rnp_key_handle_destroy(key);
    rnp_ffi_destroy(ffi);
  }

  std::string Export(std::uint32_t flags) const {
    rnp_output_t output = nullptr;
    Check(rnp_output_to_memory(&output, 0), "output");
    Check(rnp_key_export(key, output, flags | RNP_KEY_EXPORT_PUBLIC | RNP_KEY_EXPORT_SUBKEYS),
          "export");
    return TakeOutput(output);
  }
};

OpenPgpSigner::OpenPgpSigner(const std::string& user_id) : state_(std::make_unique<State>()) {
  Check(rnp_ffi_create(&state_->ffi, "GPG", "GPG"), "create");
  Check(rnp_generate_key_ex(state_->ffi, "EDDSA", nullptr, 0, 0, nullptr, nullptr, user_id.c_str(),
                            nullptr, &state_->key),
        "generate");
}

OpenPgpSigner::~OpenPgpSigner() = default;
OpenPgpSigner::OpenPgpSigner(OpenPgpSigner&&) noexcept = default;
OpenPgpSigner& OpenPgpSigner::operator=(OpenPgpSigner&&) noexcept = default;

std::string OpenPgpSigner::PublicKey() const { return state_->Export(0); }
std::string OpenPgpSigner::ArmoredPublicKey() const {
  return state_->Export(RNP_KEY_EXPORT_ARMORED);
}

std::string OpenPgpSigner::Fingerprint() const {
  char* text = nullptr;
  Check(rnp_key_get_fprint(state_->key, &text), "fingerprint");
  std::string fingerprint(text);
  rnp_buffer_destroy(text);
  return fingerprint;
}

std::string OpenPgpSigner::ClearSign(std::string_view text) const {
  rnp_input_t input = nullptr;
  rnp_output_t output = nullptr;
  rnp_op_sign_t sign = nullptr;
  Check(rnp_input_from_memory(&input, reinterpret_cast<const std::uint8_t*>(text.data()),
                              text.size(), false),
        "input");
  Check(rnp_output_to_memory(&output, 0), "output");
  Check(rnp_op_sign_cleartext_create(&sign, state_->ffi, input, output), "sign");
  Check(rnp_op_sign_add_signature(sign, state_->key, nullptr), "key");
  Check(rnp_op_sign_set_hash(sign, "SHA256"), "hash");
  Check(rnp_op_sign_execute(sign), "execute");
  rnp_op_sign_destroy(sign);
  rnp_input_destroy(input);
  return TakeOutput(output);
}

}  // namespace imgbuild::support
