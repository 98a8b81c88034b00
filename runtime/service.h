// One service while it runs: its process, its output, its readiness.
#pragma once

#include <cstdint>

#include <sys/types.h>

#include "runtime/log.h"
#include "runtime/probe.h"
#include "runtime/service_table.h"
#include "runtime/text.h"

namespace imgbuild::runtime {

enum class ServiceState : std::uint8_t {
  kWaiting,   // for the services it comes after
  kStarting,  // runs, not ready yet
  kReady,
  kBackoff,  // ended; starts again at due_ms
  kDone,     // ended for good
  kStopped,  // by hand; starts again by hand
};

// "ready"
const char* StateName(ServiceState state);

class Service {
 public:
  // `entry` is borrowed. Lines go to `out` and `err`; or, where `log_file` is given, all output
  // goes into that file. False where pipes cannot be had.
  bool Open(const ServiceEntry& entry, Output* out, Output* err, const char* log_file);

  const ServiceEntry& entry() const { return *entry_; }
  ServiceState state() const { return state_; }
  pid_t pid() const { return pid_; }
  bool running() const { return pid_ > 0; }
  int exit_code() const { return exit_code_; }
  bool IsSettled() const {
    return state_ == ServiceState::kReady || state_ == ServiceState::kDone ||
           state_ == ServiceState::kStopped;
  }
  // Ready, or done with what it had to do.
  bool IsWell() const {
    return state_ == ServiceState::kReady || (state_ == ServiceState::kDone && exit_code_ == 0);
  }
  bool GaveUp() const { return state_ == ServiceState::kDone && exit_code_ != 0; }
  std::uint32_t restarts() const { return starts_ > 0 ? starts_ - 1 : 0; }
  std::uint64_t changed_ms() const { return changed_ms_; }  // when it came into its state
  const LogTail& tail() const { return tail_; }

  void Start(std::uint64_t now);
  // The process ended. Decides by the restart policy, unless `stopping`, what comes next.
  void Ended(int wait_status, std::uint64_t now, bool stopping);
  // Sends the stop signal, once; SIGKILL to the whole group when its time is over.
  void Stop(std::uint64_t now);
  // By hand: ends it, or keeps it from starting, without an end of the container.
  void Hold(std::uint64_t now);
  // By hand: starts it once what it comes after is ready; one that runs ends first.
  void Renew(std::uint64_t now);
  // Restarts, probes and deadlines that are due. True when it has just become ready.
  bool Tick(std::uint64_t now);
  // When Tick wants to be called next; UINT64_MAX: no time.
  std::uint64_t due_ms() const;

  LineReader& out() { return out_; }
  LineReader& err() { return err_; }
  Probe& probe() { return probe_; }
  // True when the attempt made it ready.
  bool ContinueProbe(std::uint64_t now);

  // Adds the announcement with the token filled in.
  void Announce(Output& output) const;

 private:
  void Enter(ServiceState state);
  void MakeToken();
  void Fail(std::uint64_t now);
  void End(std::uint64_t now);
  void Say(const char* text);

  const ServiceEntry* entry_ = nullptr;
  ServiceState state_ = ServiceState::kWaiting;
  pid_t pid_ = -1;
  int exit_code_ = 0;
  int out_fd_ = -1;  // ends that the service writes to; kept for all its starts, so that what
  int err_fd_ = -1;  // outlives one of them still has a reader
  LineReader out_;
  LineReader err_;
  LogTail tail_;
  Output* console_ = nullptr;
  Probe probe_;
  std::uint64_t started_ms_ = 0;
  std::uint64_t restart_ms_ = 0;
  std::uint64_t probe_ms_ = 0;
  std::uint64_t kill_ms_ = 0;  // 0: not being stopped
  std::uint64_t changed_ms_ = 0;
  std::uint32_t failures_ = 0;  // in a row
  std::uint32_t starts_ = 0;
  bool hold_ = false;   // stays stopped when it has ended
  bool renew_ = false;  // starts again when it has ended, whatever its policy
  bool told_slow_ = false;
  FixedText<128> token_variable_;  // VARIABLE=value, where it was made here
  const char* token_ = nullptr;
};

}  // namespace imgbuild::runtime
