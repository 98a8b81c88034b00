// Core metadata of distributions (packaging.python.org "Core metadata specifications"; PEP 566,
// 643, 685): METADATA of wheels, PKG-INFO of sdists.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "specs/python/requirement.h"
#include "specs/python/syntax_error.h"
#include "specs/python/version.h"

namespace imgbuild::specs {

struct CoreMetadata {
  std::string metadata_version;  // "2.1"
  std::string name;              // as written
  Version version;
  std::string version_text;  // as written
  std::string summary;
  std::string license;                        // License-Expression, else License, first line
  std::vector<Requirement> requires_dist;     // in file order; parsed leniently
  std::vector<std::string> invalid_requires;  // Requires-Dist that even so cannot be read
  std::optional<SpecifierSet> requires_python;
  std::vector<std::string> provides_extra;  // normalised, in file order, each once
  std::vector<std::string> dynamic;         // field names in lower case

  // Whether dependencies may be taken from here although the file belongs to an sdist (PEP 643):
  // Metadata-Version 2.2 or later, and neither Requires-Dist nor Provides-Extra is dynamic.
  bool DependenciesAreStatic() const;
};

// Reads the header fields up to the first empty line; what follows is the description. Unknown
// fields are ignored, fields are found without case, folded lines are joined. An error where Name
// or Version is missing or unreadable, or Metadata-Version is of a later major version than 2.
std::variant<CoreMetadata, SyntaxError> ParseCoreMetadata(std::string_view text);

}  // namespace imgbuild::specs
