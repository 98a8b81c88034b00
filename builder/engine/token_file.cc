#include "builder/engine/token_file.h"

#include <cstdint>

#include <fmt/core.h>

#include "layers/io/file.h"
#include "specs/base/error.h"

namespace imgbuild::builder {
namespace {

// More does not fit into a variable (execve(2), MAX_ARG_STRLEN).
constexpr std::uint64_t kMostBytes = 128u << 10;

}  // namespace

std::optional<std::string> TokenFromFile(const Environment& environment,
                                         const std::string& variable) {
  if (environment.Get(variable)) return std::nullopt;
  const auto file = environment.Get(variable + "_FILE");
  if (!file) return std::nullopt;
  return specs::WithContext(fmt::format("while reading what {}_FILE names", variable), [&] {
    std::string token = layers::ReadFile(*file, kMostBytes);
    if (token.ends_with('\n')) token.pop_back();
    if (token.ends_with('\r')) token.pop_back();
    // Servers take an empty one for leave to let everybody in.
    if (token.empty()) throw specs::Error(fmt::format("no token in {}", *file));
    return token;
  });
}

}  // namespace imgbuild::builder
