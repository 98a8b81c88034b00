#include "builder/host/environment.h"

#include <unistd.h>

namespace imgbuild::builder {

Environment Environment::OfProcess() {
  Environment environment;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    std::string_view text = *entry;
    std::size_t equals = text.find('=');
    if (equals == std::string_view::npos) continue;
    environment.variables_.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return environment;
}

Environment Environment::Of(
    std::initializer_list<std::pair<std::string_view, std::string_view>> variables) {
  Environment environment;
  for (const auto& [name, value] : variables) environment.variables_.emplace(name, value);
  return environment;
}

std::optional<std::string> Environment::Get(std::string_view name) const {
  auto found = variables_.find(name);
  if (found == variables_.end() || found->second.empty()) return std::nullopt;
  return found->second;
}

std::optional<std::string> Environment::FirstOf(
    std::initializer_list<std::string_view> names) const {
  for (std::string_view name : names) {
    if (auto value = Get(name)) return value;
  }
  return std::nullopt;
}

}  // namespace imgbuild::builder
