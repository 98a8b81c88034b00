// Asking before something is done that cannot be undone.
#pragma once

#include <istream>
#include <string>

namespace imgbuild::builder {

// Whether somebody can be asked, and answers.
enum class Asking { kTerminal, kNobody };

// Returns where the answer to `question` is "y" or "yes", which is read from `in`; the question is
// written to standard error. Throws Error where it is another or there is none, and (kUsage) where
// nobody can be asked.
void Confirm(const std::string& question, Asking asking, std::istream& in);

}  // namespace imgbuild::builder
