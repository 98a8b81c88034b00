#include "builder/rootless/child_error.h"

#include "specs/base/text.h"

namespace imgbuild::builder {

std::string RenderError(const specs::Error& error) {
  std::string text = std::to_string(static_cast<int>(error.kind()));
  for (const std::string* part :
       {&error.message(), &error.found(), &error.expected(), &error.hint()}) {
    text += '\0';
    text += *part;
  }
  return text;
}

std::optional<specs::Error> ParseError(std::string_view text) {
  if (text.empty()) return std::nullopt;
  const auto parts = specs::Split(text, '\0');
  if (parts.size() != 5) return specs::Error(std::string(text));
  const auto kind = specs::ParseUnsigned(parts[0]);
  specs::Error error(static_cast<specs::ErrorKind>(kind.value_or(1)), std::string(parts[1]));
  if (!parts[2].empty()) error = specs::Error(std::move(error).Found(std::string(parts[2])));
  if (!parts[3].empty()) error = specs::Error(std::move(error).Expected(std::string(parts[3])));
  if (!parts[4].empty()) error = specs::Error(std::move(error).Hint(std::string(parts[4])));
  return error;
}

}  // namespace imgbuild::builder
