// Runs the real supervisor binary and talks to it as an engine would: arguments, signals, output.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include <sys/types.h>

namespace imgbuild::runtime {

class InitProcess {
 public:
  // `table` is the text of the service table ("": none); `env` is added to a bare environment.
  InitProcess(const std::string& table, std::vector<std::string> arguments,
              std::vector<std::string> env = {});
  ~InitProcess();
  InitProcess(const InitProcess&) = delete;
  InitProcess& operator=(const InitProcess&) = delete;

  pid_t pid() const { return pid_; }
  void Signal(int number) const;
  // Reads until `text` is in the output or 10 s are over; says which.
  bool WaitFor(const std::string& text);
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
  bool ReadSome(std::chrono::milliseconds wait);

  pid_t pid_ = -1;
  int pipe_ = -1;
  bool ended_ = false;
  std::string table_file_;
  std::string control_;
  std::string output_;
};

}  // namespace imgbuild::runtime
