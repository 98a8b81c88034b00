#include "specs/base/printable.h"

namespace imgbuild::specs {

std::string Printable(std::string_view text) {
  std::string shown;
  shown.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const auto next = static_cast<unsigned char>(i + 1 < text.size() ? text[i + 1] : '\0');
    const bool ascii = (byte < 0x20 && byte != '\t' && byte != '\n') || byte == 0x7f;
    const bool c1 = byte == 0xc2 && next >= 0x80 && next <= 0x9f;
    shown += ascii || c1 ? '?' : text[i];
    if (c1) ++i;
  }
  return shown;
}

}  // namespace imgbuild::specs
