// PID 1 of an image: starts the services, keeps them, and ends with them.
//
// One thread, one poll() loop, no allocation once it runs. Everything that happens is an event of
// that loop: signals (through a signalfd), output of services, probes, deadlines, questions on the
// control socket. Two rules keep it from hanging: it writes to nothing that could make it wait
// (runtime/writer.h), and it waits for processes (SIGCHLD), never for descriptors to close, since
// grandchildren inherit those and outlive the service.
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
#include "runtime/table_file.h"

namespace imgbuild::runtime {

class Supervisor final : private ControlHandler {
 public:
  // Borrowed for its life. `foreground` are words that end with a null pointer, or null: services
  // alone, whose table is read again from `table_path` on SIGHUP. Services beside a foreground
  // command write into files, not over its terminal.
  Supervisor(const ServiceTable& services, const char* table_path, const char* const* foreground)
      : table_(&services), table_path_(table_path), foreground_(foreground) {}

  // Until all has ended; the container's exit status.
  int Run();

 private:
  const char* Open();
  const char* OpenService(std::size_t i, Service& service);
  void Loop();
  void OnSignals();
  void OnSignal(int number);
  void Reap();
  void OnChild(pid_t pid, int wait_status);
  void StartWhatCan(std::uint64_t now);
  void StartForeground(std::uint64_t now);
  void EndWithEssentials();
  void BeginStop();
  void StopInOrder(std::uint64_t now);
  bool Finished() const;
  void Wait();
  void HandleOutput(const pollfd* polled, std::uint64_t now);
  int PollTimeout(std::uint64_t now) const;
  void BecameReady(const Service& service);
  void Say(const char* text);
  Output& errors() { return one_output_ ? out_ : err_; }
  void EndLeftovers();
  void FinishOutput();

  // Null, or why not. Services that the new table has otherwise, or not at all, end now; when they
  // have, FinishReload starts what is new.
  const char* BeginReload(std::uint64_t now);
  void FinishReload();
  Service& TakeFreeSlot();

  void Answer(char* request, Reply& reply) override;
  void AnswerStatus(bool json, Reply& reply) const;
  void AnswerHealth(bool ready, const char* name, Reply& reply) const;
  Service* Find(const char* name);

  const ServiceTable* table_;
  const char* table_path_;
  const char* const* foreground_;
  Service slots_[kMaxServices];
  Service* services_[kMaxServices] = {};  // in the table's order
  TableFile files_[2];                    // of reloads, in turns
  std::size_t next_file_ = 0;
  const ServiceTable* next_table_ = nullptr;  // while a reload waits for services to end
  Output out_{1};
  Output err_{2};
  bool one_output_ = false;  // both lead to one file, and so go through out_
  Control control_;
  int signals_ = -1;
  std::size_t first_ = 0;  // whose output is read first, in turns
  pid_t foreground_pid_ = -1;
  bool foreground_done_ = false;
  std::uint64_t foreground_kill_ms_ = 0;  // 0: it has not been told to end
  bool stopping_ = false;
  int exit_code_ = 0;
  std::uint64_t started_ms_ = 0;
};

}  // namespace imgbuild::runtime
