// Hidden verbs that make Python's standards testable from outside: docs/debug.md describes them.
#pragma once

#include <iosfwd>

namespace imgbuild::builder {

// Each reads JSON objects, one a line, from `in` until it ends and writes one JSON object a line
// to `out`. A line that cannot be answered is answered with {"error": "..."}; blank lines are
// passed over. The result is the exit status, always 0: wrong questions are answers, too.
int RunDebugVersion(std::istream& in, std::ostream& out);
int RunDebugSpecifier(std::istream& in, std::ostream& out);
int RunDebugMarker(std::istream& in, std::ostream& out);
int RunDebugRequirement(std::istream& in, std::ostream& out);

}  // namespace imgbuild::builder
