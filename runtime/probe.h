// Whether a service answers: one attempt at a time, never blocking.
#pragma once

#include <cstdint>

#include <sys/types.h>

#include "runtime/process.h"
#include "runtime/service_table.h"

namespace imgbuild::runtime {

// tcp: the port on 127.0.0.1 accepts a connection. http: GET answers with a status below 500 (an
// answer that asks for a login is an answer). exec: the command, run as the service would be, ends
// with status 0.
class Probe {
 public:
  // kUnasked: we could not ask, which says nothing about the service.
  enum class Result : std::uint8_t { kPending, kReady, kFailed, kUnasked };

  // Begins an attempt. What it is run with is borrowed; `plan` is the service's, and is changed for
  // exec alone.
  Result Start(const ProbeEntry& entry, SpawnPlan plan, std::uint64_t now);
  // Gives an attempt up.
  void Stop();
  // An attempt is under way, or its process has not been reaped yet.
  bool IsBusy() const { return fd_ >= 0 || pid_ > 0; }
  // -1 where nothing is to be polled; else poll() this for events().
  int fd() const { return fd_; }
  short events() const;
  // Call when poll() reports the descriptor.
  Result Continue();

  pid_t pid() const { return pid_; }
  // Call when the process of that pid ended.
  Result Ended(int wait_status);

  // When its time is over: call Expire then. UINT64_MAX: nothing is under way.
  std::uint64_t due_ms() const { return due_ms_; }
  // kPending where a process has to be reaped first.
  Result Expire();

 private:
  Result Connect();
  Result SendRequest();
  Result ReadAnswer();

  const ProbeEntry* entry_ = nullptr;
  int fd_ = -1;
  pid_t pid_ = -1;
  bool given_up_ = false;  // nobody wants the process's result any more
  std::uint64_t due_ms_ = UINT64_MAX;
  bool connected_ = false;
  std::uint32_t size_ = 0;
  char answer_[16];
};

}  // namespace imgbuild::runtime
