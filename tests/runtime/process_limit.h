// A limit of processes as containers have it, which comes and goes while the supervisor runs.
#pragma once

#include <string>

#include "tests/runtime/init_process.h"

namespace imgbuild::runtime {

// The pids controller of a cgroup of its own where cgroups may be made, else RLIMIT_NPROC of a user
// who has no other process.
class ProcessLimit {
 public:
  ProcessLimit();
  ~ProcessLimit();
  ProcessLimit(const ProcessLimit&) = delete;
  ProcessLimit& operator=(const ProcessLimit&) = delete;

  // Whether there is any way.
  bool usable() const { return usable_; }
  const InitSetup& setup() const { return setup_; }
  // Not one more from now on.
  void Refuse(const InitProcess& init) const;
  void Lift(const InitProcess& init) const;

 private:
  void Set(const InitProcess& init, const std::string& most, rlim_t soft) const;

  bool usable_ = false;
  InitSetup setup_;
};

}  // namespace imgbuild::runtime
