// Starting and ending child processes.
#pragma once

#include <cstdint>

#include <sys/types.h>

#include "runtime/identity.h"
#include "runtime/service_table.h"

namespace imgbuild::runtime {

struct SpawnPlan {
  const char* const* argv = nullptr;  // argv[0] is looked up in PATH where it has no slash
  // Whose directory, environment, limits and umask the process gets, with a session of its own and
  // /dev/null as input. Null: a process group of its own in the foreground of the terminal, if
  // there is one.
  const ServiceEntry* service = nullptr;
  const Identity* identity = nullptr;  // null: the supervisor's own
  const char* token = nullptr;         // VARIABLE=value, or null
  int out = -1;                        // becomes descriptor 1; -1: inherited
  int err = -1;                        // becomes descriptor 2
};

// The child's pid, or -1 with errno. A command that cannot be executed ends with status 127 (not
// found) or 126, after saying why on its own standard error. Signals are unblocked and default in
// the child.
pid_t Spawn(const SpawnPlan& plan);

// How wait(2) says a process ended, as a shell would: the exit code, or 128 + the signal.
int ExitCode(int wait_status);

// "exited with status 1", "was killed by signal 9".
void DescribeExit(int wait_status, char* text, std::size_t size);

}  // namespace imgbuild::runtime
