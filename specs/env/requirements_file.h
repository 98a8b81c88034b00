// requirements.txt (pip's "Requirements File Format") and pyproject.toml (PEP 621) as lists of
// requirements.
#pragma once

#include <string>
#include <vector>

#include "specs/env/table_reader.h"

namespace imgbuild::specs {

struct RequirementLists {
  std::vector<Placed> packages;
  std::vector<Placed> constraints;
};

// Adds the lines of `file`, which `where` names, and of the files it includes with -r and -c, to
// `lists`. Options that would change where packages come from are noted with what to write instead.
void ReadRequirementsFile(const std::string& file, const SourcePosition& where,
                          SpecReading& reading, RequirementLists& lists);
// The same, all of it as constraints.
void ReadConstraintsFile(const std::string& file, const SourcePosition& where, SpecReading& reading,
                         RequirementLists& lists);

// project.dependencies of the pyproject.toml in `folder` (or named itself); requires-python must
// hold for `python_version`.
void ReadPyproject(const std::string& folder, const SourcePosition& where,
                   std::string_view python_version, SpecReading& reading, RequirementLists& lists);

// One requirement or local wheel of a spec or file; what is neither is noted, with what was meant
// where it can be guessed. The path of a wheel comes back relative to the file it is written in.
std::optional<std::string> CheckRequirement(const Placed& requirement, SpecReading& reading);

}  // namespace imgbuild::specs
