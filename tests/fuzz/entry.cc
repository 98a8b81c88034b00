#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "specs/base/error.h"
#include "tests/fuzz/target.h"

namespace imgbuild::fuzz {

void Require(bool holds, const char* property) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", property);
  std::abort();
}

}  // namespace imgbuild::fuzz

// libFuzzer's entry point, and that of driver.cc.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    imgbuild::fuzz::Try({reinterpret_cast<const char*>(data), size});
  } catch (const imgbuild::specs::Error&) {
  }
  return 0;
}
