// Names of Python distributions and extras (PEP 503 "Normalized Names", PEP 508, PEP 685).
#pragma once

#include <string>
#include <string_view>

namespace imgbuild::specs {

// Lower case, runs of "-", "_" and "." as one "-". The form in which names are compared and stored.
std::string NormalizeName(std::string_view name);

// ASCII letters, digits, "-", "_", "."; begins and ends with a letter or digit (PEP 508).
bool IsValidName(std::string_view name);

}  // namespace imgbuild::specs
