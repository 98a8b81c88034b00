// What is said of a command line that cannot be understood.
#pragma once

#include "specs/base/error.h"

namespace CLI {
class App;
class ParseError;
}  // namespace CLI

namespace imgbuild::builder {

// `app` after its parse threw `error`: an Error (kUsage) like every other, with the command or
// option that was probably meant.
specs::Error UsageError(const CLI::App& app, const CLI::ParseError& error);

}  // namespace imgbuild::builder
