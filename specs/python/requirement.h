// Dependency specifiers (PEP 508): "name[extra] >=1,<2; python_version < '3.12'", "name @ url".
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "specs/python/marker.h"
#include "specs/python/specifier.h"
#include "specs/python/syntax_error.h"

namespace imgbuild::specs {

struct [[nodiscard]] Requirement {
  std::string name;                 // as written; NormalizeName(name) to compare
  std::vector<std::string> extras;  // as written, sorted, each once
  SpecifierSet specifier;
  std::string url;  // "" unless "name @ url"
  std::optional<Marker> marker;

  // As the `packaging` library parses; the error carries the position.
  static std::variant<Requirement, SyntaxError> Parse(std::string_view text);
  // Also takes what packages in the wild get wrong and everyone reads alike: a missing comma
  // (">=1 <2"), a trailing comma, ">=1.*", "~=1", stray quotes. For core metadata, not for specs.
  static std::variant<Requirement, SyntaxError> ParseLenient(std::string_view text);

  // "name[a,b]<2,>=1; marker", "name @ url ; marker". Parse(Render()) == *this.
  std::string Render() const;

  // Names and extras are compared in normalised form.
  friend bool operator==(const Requirement& a, const Requirement& b);
};

// Like Requirement::ParseLenient for Requires-Python and data-requires-python.
std::variant<SpecifierSet, SyntaxError> ParseSpecifierLenient(std::string_view text);

}  // namespace imgbuild::specs
