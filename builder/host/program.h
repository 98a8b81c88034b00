// Other programs of this machine, run by us.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "layers/io/file.h"

namespace imgbuild::builder {

struct ProgramAnswer {
  int status = 0;      // of its exit; 128 and the signal's number where one ended it
  std::string output;  // its standard output, as far as it was wanted
};

struct ProgramRun {
  std::vector<std::string> words;  // the program, looked for in PATH, and its arguments
  std::string input;               // at most what a pipe holds, 4 KiB
  std::size_t most_output = 1u << 20;
  std::string folder = {};                // where it works; "": here
  std::chrono::milliseconds patience{0};  // then it is killed, which is an Error; 0: none
  bool mute = false;                      // what it says of errors goes nowhere
};

// Waits for its end. It gets its own standard error from us, and signals as a shell gives them.
// Throws Error where it cannot be started, or takes longer than it may.
ProgramAnswer RunProgram(const ProgramRun& run);

// The file of a program: the first of that name in the folders of `path`, as PATH has them, that
// may be run; "" where there is none.
std::string FindProgram(std::string_view name, std::string_view path);

// A program that runs beside us, in a process group of its own, so that Ctrl-C is ours alone. Its
// standard output is a pipe; it is killed when this goes.
class ProgramBeside {
 public:
  // Throws Error where it cannot be started.
  explicit ProgramBeside(std::vector<std::string> words);
  ~ProgramBeside();
  ProgramBeside(const ProgramBeside&) = delete;
  ProgramBeside& operator=(const ProgramBeside&) = delete;

  int fd() const { return output_.get(); }
  // What it has said meanwhile; waits for something. "": it has ended its output.
  std::string Read();

 private:
  int child_ = -1;
  layers::FileDescriptor output_;
};

// Starts it without its output or its end being of interest. Throws Error where it cannot be
// started.
void StartAndForget(std::vector<std::string> words);

// The program takes the place of this one, with its terminal, its environment and its exit status.
// Throws Error where it cannot be started.
[[noreturn]] void BecomeProgram(std::vector<std::string> words);

}  // namespace imgbuild::builder
