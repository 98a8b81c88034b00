// What a service finds around it: limits, environment, files of secrets, user, directory.
#pragma once

#include "runtime/identity.h"
#include "runtime/service_table.h"

namespace imgbuild::runtime {

// What could not be had: "cannot read", "/run/secrets/key", errno of then.
struct Failure {
  const char* what = nullptr;  // null: nothing failed
  const char* name = nullptr;
};

// Whether the service, which has a token's variable, finds one there or in VARIABLE_FILE: from this
// process's environment, or from what the service adds to it.
bool HasToken(const ServiceEntry& service);

// Changes this process, which runs the service's command next. Files are read before it becomes
// `identity` (null: stays who it is), so that secrets may belong to root alone. `token` is
// VARIABLE=value; null: the service has none, or HasToken().
Failure EnterSurroundings(const ServiceEntry& service, const Identity* identity, const char* token);

// Adds lines of KEY=VALUE to the environment, as --env-file of engines has them: the value is what
// follows "=", quotes and blanks included; lines without "=", and those that begin with "#", are
// passed over. `text` must outlive the environment.
void AddLines(char* text);

}  // namespace imgbuild::runtime
