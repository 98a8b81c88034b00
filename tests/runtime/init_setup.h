// How the supervisor is started in tests, where that is unusual.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <sys/resource.h>
#include <sys/types.h>

namespace imgbuild::runtime {

struct InitSetup {
  bool terminal = false;            // output goes to a terminal
  std::vector<int> closed = {};     // of the standard descriptors
  std::optional<uid_t> uid = {};    // another user
  std::optional<rlim_t> most = {};  // processes of that user
  std::vector<int> refused = {};    // system calls that fail with EPERM (seccomp(2))
  std::string cgroup = {};          // a folder of cgroup.procs that it joins
  // What takes root, and more rights than root has in most containers; see IsPossible.
  bool first = false;         // PID 1, in a namespace of its own
  bool without_proc = false;  // nothing is mounted on /proc
  // What its monotonic clock is ahead of others'.
  std::optional<std::chrono::seconds> ahead = {};
};

// Whether this machine lets this process have the namespaces that `setup` takes.
bool IsPossible(const InitSetup& setup);

// fork() for the supervisor: into namespaces as it is told. -1 where that is refused.
pid_t ForkInto(const InitSetup& setup);

// In the child, before it runs the program. Ends it where something cannot be had.
void Prepare(const InitSetup& setup);
// What cannot come before `program` was opened. As Prepare().
void Restrict(const InitSetup& setup);

}  // namespace imgbuild::runtime
