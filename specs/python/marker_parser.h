// The marker grammar of PEP 508, for markers alone and at the end of a requirement.
#pragma once

#include <vector>

#include "specs/python/dependency_scanner.h"
#include "specs/python/marker.h"

namespace imgbuild::specs {

// Parses from the scanner's position as far as a marker reaches, with literals that name extras
// normalised. Throws SyntaxError.
std::vector<Marker::Item> ParseMarkerItems(DependencyScanner& scanner);

}  // namespace imgbuild::specs
