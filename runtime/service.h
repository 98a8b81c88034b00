// One service while it runs: its process, its output, how it is.
#pragma once

#include <cstdint>

#include <sys/types.h>

#include "runtime/identity.h"
#include "runtime/log.h"
#include "runtime/probe.h"
#include "runtime/service_table.h"
#include "runtime/text.h"

namespace imgbuild::runtime {

enum class ServiceState : std::uint8_t {
  kWaiting,   // for the services it comes after
  kStarting,  // runs, not ready yet
  kReady,
  kEnding,   // runs, was told to end
  kBackoff,  // ended; starts again at due_ms
  kDone,     // ended for good
  kStopped,  // by hand; starts again by hand
};

// "ready"
const char* StateName(ServiceState state);

// Where services write.
struct Outputs {
  Output* out = nullptr;
  Output* err = nullptr;
  const char* log_file = nullptr;  // where given, what services write goes into that file instead
};

class Service {
 public:
  // `entry` is borrowed. Null, or why it cannot be run at all.
  const char* Open(const ServiceEntry& entry, const Outputs& outputs);
  // Gives back what Open took. Nothing may run.
  void Close();
  bool is_open() const { return entry_ != nullptr; }

  const ServiceEntry& entry() const { return *entry_; }
  // The same service in another table.
  void set_entry(const ServiceEntry& entry);
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
  // What comes after it may start.
  bool HasPassed() const {
    return IsWell() || (state_ == ServiceState::kDone && entry_->type == ServiceType::kJob);
  }
  // Its end for good ends the container.
  bool EndsAll() const {
    return state_ == ServiceState::kDone &&
           (entry_->essential || (entry_->type == ServiceType::kOneshot && exit_code_ != 0));
  }
  std::uint32_t restarts() const { return starts_ > 0 ? starts_ - 1 : 0; }
  std::uint64_t changed_ms() const { return changed_ms_; }  // when it came into its state
  const LogTail& tail() const { return tail_; }

  void Start(std::uint64_t now);
  // It will not start: what it comes after failed for good.
  void GiveUp(const char* because);
  // What it started is left, in its process group, although it ended itself.
  bool HasLeftovers() const;
  void KillLeftovers() const;
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
  const Probe& probe() const { return probe_; }
  // poll() reported the probe's descriptor, or its process ended. True when it became ready.
  bool ContinueProbe(std::uint64_t now);
  bool ProbeEnded(int wait_status, std::uint64_t now);

  // Adds the announcement with the token filled in.
  void Announce(Output& output) const;

 private:
  void Enter(ServiceState state);
  const char* OpenOutputs(const Outputs& outputs);
  const char* OpenIdentity();
  void ChooseToken();
  SpawnPlan Plan() const;
  bool Probed(Probe::Result result, std::uint64_t now);
  bool BecomeReady(std::uint64_t now);
  void TickProbe(const ProbeEntry& entry, std::uint64_t now);
  // Starts again after a while, which grows while it ends soon; or gives up.
  void StartLater(std::uint64_t now);
  void End(std::uint64_t now);
  void Say(const char* text);

  const ServiceEntry* entry_ = nullptr;
  ServiceState state_ = ServiceState::kWaiting;
  pid_t pid_ = -1;
  pid_t group_ = -1;  // of the last start
  int exit_code_ = 0;
  bool has_identity_ = false;
  Identity identity_;
  int out_fd_ = -1;   // ends that the service writes to; kept for all its starts, so that what
  int err_fd_ = -1;   // outlives one of them still has a reader
  int null_fd_ = -1;  // what probes write to
  LogSource source_;
  LineReader out_;
  LineReader err_;
  LogTail tail_;
  LogFile file_;
  Output* console_ = nullptr;
  Probe probe_;
  std::uint64_t started_ms_ = 0;
  std::uint64_t restart_ms_ = 0;
  std::uint64_t probe_ms_ = 0;  // when the next attempt begins
  std::uint64_t kill_ms_ = 0;   // 0: not being stopped
  std::uint64_t changed_ms_ = 0;
  std::uint32_t ends_ = 0;        // in a row, each soon after a start
  std::uint32_t failures_ = 0;    // of those, since the last that was none
  std::uint32_t unanswered_ = 0;  // liveness probes, in a row
  std::uint32_t starts_ = 0;
  bool hold_ = false;    // stays stopped when it has ended
  bool renew_ = false;   // starts again when it has ended, whatever its policy
  bool unwell_ = false;  // is being ended because it does not answer
  bool told_slow_ = false;
  FixedText<128> token_variable_;  // VARIABLE=value, once one was made here
  const char* token_ = nullptr;    // null: there is none, or another one counts
};

}  // namespace imgbuild::runtime
