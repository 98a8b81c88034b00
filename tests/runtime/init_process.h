// Runs the real supervisor binary and talks to it as an engine would: arguments, signals, output.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace imgbuild::runtime {

// The program under test: $IMGBUILD_INIT, else the one that this build makes for images.
std::string InitProgram();

// How it is started, where that is unusual.
struct InitSetup {
  bool terminal = false;          // output goes to a terminal
  std::vector<int> closed = {};   // of the standard descriptors
  std::optional<uid_t> uid;       // another user, who may start no process at all
  std::vector<int> refused = {};  // system calls that fail with EPERM (seccomp(2))
};

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
  // Its output has no reader from now on.
  void CloseOutput();
  // The pids of its children, each with a blank behind it.
  std::string Children() const;
  // The exit status, 128 + signal, or -1 if it did not end within 10 s.
  int WaitForExit();
  struct Asked {
    int status = -1;
    std::string output;  // standard output and error together
  };
  // Runs the program once more beside it, as `podman exec` does: Ask({"status"}).
  Asked Ask(std::vector<std::string> arguments) const;
  // The socket that it listens on.
  const std::string& control() const { return control_; }

  // Standard output and error together, so far.
  const std::string& output() const { return output_; }

 private:
  void Run(const InitSetup& setup, std::vector<std::string> arguments,
           std::vector<std::string> env);
  bool ReadSome(std::chrono::milliseconds wait);

  pid_t pid_ = -1;
  int pipe_ = -1;
  bool ended_ = false;
  std::string table_file_;
  std::string control_;
  std::string output_;
};

}  // namespace imgbuild::runtime
