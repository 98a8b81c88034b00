// PID 1 of an image: starts the services, keeps them, and ends with them.
//
// One thread, one poll() loop, no allocation once it runs. Everything that happens is an event of
// that loop: signals (through a signalfd), output of services, readiness probes, deadlines. Two
// rules keep it from hanging: it never writes to a descriptor that poll() did not call writable,
// and it waits for processes (SIGCHLD), never for descriptors to close, since grandchildren inherit
// those and outlive the service.
//
// Ends when a stop signal arrives, when an essential service or the foreground command ends for
// good, or when no service is left. Then services stop in reverse order of `after`, each by its own
// signal and deadline, and at last every process that is left.
#pragma once

#include <cstdint>

#include <sys/types.h>

#include "runtime/control.h"
#include "runtime/log.h"
#include "runtime/service.h"
#include "runtime/service_table.h"

namespace imgbuild::runtime {

class Supervisor final : private ControlHandler {
 public:
  // Borrowed for its life. `foreground` may be null: services alone. Services beside a foreground
  // command write into files, not over its terminal.
  Supervisor(const ServiceTable& services, const Command* foreground)
      : table_(services), foreground_(foreground) {}

  // Until all has ended; the container's exit status.
  int Run();

 private:
  bool Open();
  void OnSignals();
  void OnSignal(int number);
  void Reap();
  void OnChild(pid_t pid, int wait_status);
  void StartWhatCan(std::uint64_t now);
  void StartForeground(std::uint64_t now);
  void BeginStop();
  void StopInOrder(std::uint64_t now);
  bool Finished() const;
  void Wait();
  int PollTimeout(std::uint64_t now) const;
  void BecameReady(const Service& service);
  void EndLeftovers();
  void Answer(char* request, Reply& reply) override;
  void AnswerStatus(bool json, Reply& reply) const;
  void AnswerHealth(bool ready, const char* name, Reply& reply) const;
  void AnswerLogs(const Service& service, Reply& reply) const;
  Service* Find(const char* name);

  const ServiceTable& table_;
  const Command* foreground_;
  Service services_[kMaxServices];
  Output out_{1};
  Output err_{2};
  Control control_;
  int signals_ = -1;
  pid_t foreground_pid_ = -1;
  bool foreground_done_ = false;
  bool stopping_ = false;
  int exit_code_ = 0;
  std::uint64_t started_ms_ = 0;
};

}  // namespace imgbuild::runtime
