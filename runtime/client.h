// The verbs of imgbuild-init that ask the running supervisor (runtime/control.h has the protocol):
//
//   init status [--json]
//   init restart|stop|start NAME
//   init logs NAME
//   init health --ready|--live [NAME]     for probes: exit status 0 or 1
//
// They are verbs only beside a supervisor, never for PID 1 of a container, whose arguments are the
// command that a user wants to run.
#pragma once

namespace imgbuild::runtime {

// Whether the arguments begin with such a verb.
bool IsControlVerb(int argc, char** argv);

// Asks and prints. The exit status: 0, 1 where the answer is no, 2 for wrong arguments, 125 where
// nobody answers.
int RunControlVerb(int argc, char** argv);

}  // namespace imgbuild::runtime
