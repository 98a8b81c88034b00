#include "layers/store/sealed_text.h"

#include "specs/base/digest.h"

namespace imgbuild::layers {

std::string Seal(std::string_view text) {
  std::string sealed = specs::HashOf(text).Hex() + "\n";
  return sealed.append(text);
}

std::optional<std::string> Unseal(std::string_view sealed) {
  const std::size_t end = sealed.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  const std::optional<specs::Sha256> digest = specs::Sha256::Parse(sealed.substr(0, end));
  const std::string_view text = sealed.substr(end + 1);
  if (!digest || specs::HashOf(text) != *digest) return std::nullopt;
  return std::string(text);
}

}  // namespace imgbuild::layers
