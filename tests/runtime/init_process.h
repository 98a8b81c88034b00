// Runs the real supervisor binary and talks to it as an engine would: arguments, signals, output.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include <sys/types.h>

#include "tests/runtime/init_setup.h"

namespace imgbuild::runtime {

// The program under test and its arguments: $IMGBUILD_INIT, else the one that this build makes for
// images; run by $IMGBUILD_INIT_RUNNER, where that is set.
std::vector<std::string> InitCommand(const std::vector<std::string>& arguments);

// A connection to the socket of a supervisor; -1 where nobody listens.
int ConnectTo(const std::string& control);

class InitProcess {
 public:
  // `table` is the text of the service table ("": none); `env` is added to a bare environment.
  InitProcess(const std::string& table, std::vector<std::string> arguments,
              std::vector<std::string> env = {}, const InitSetup& setup = {});
  ~InitProcess();
  InitProcess(const InitProcess&) = delete;
  InitProcess& operator=(const InitProcess&) = delete;

  pid_t pid() const { return pid_; }
  void Signal(int number) const;
  // Writes another table where it reads it.
  void ChangeTable(const std::string& table) const;
  // Reads until `text` is in the output or time is over; says which.
  bool WaitFor(const std::string& text, std::chrono::seconds patience = std::chrono::seconds(10));
  // Reads what is there.
  void Poll();
  // Reads up to `most` bytes, if there are any.
  void ReadUpTo(std::size_t most);
  // Its output has no reader from now on.
  void CloseOutput();
  // Its output is not read any more, and stays open.
  void StopReading() { reading_ = false; }
  void ReadAgain() { reading_ = true; }
  // The pids of its children, zombies included.
  std::vector<pid_t> Children() const;
  // The pids of all others that come from it: those with its environment.
  std::vector<pid_t> Descendants() const;
  // The commands of those that are left after a while in which they may end.
  std::vector<std::string> Leftovers() const;
  // The exit status, 128 + signal, or -1 if it did not end in time.
  int WaitForExit(std::chrono::milliseconds patience = std::chrono::seconds(10));
  struct Asked {
    int status = -1;
    std::string output;  // standard output and error together
  };
  // Runs the program once more beside it, as `podman exec` does: Ask({"status"}).
  Asked Ask(const std::vector<std::string>& arguments) const;
  // The socket that it listens on.
  const std::string& control() const { return control_; }

  // Standard output and error together, so far.
  const std::string& output() const { return output_; }

 private:
  void Run(const InitSetup& setup, std::vector<std::string> command, std::vector<std::string> env);
  bool ReadSome(std::chrono::milliseconds wait);

  pid_t pid_ = -1;
  int pipe_ = -1;
  bool ended_ = false;
  bool reading_ = true;
  std::string table_file_;
  std::string control_;
  std::string output_;
};

}  // namespace imgbuild::runtime
