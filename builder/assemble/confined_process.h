// Starting a program that is not to be trusted with this machine.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "specs/base/error.h"

namespace imgbuild::builder {

// kConfined: in namespaces of its own (user, process ids, network, IPC) with `root` as its root, so
// that it sees no other file, process or network. kLimited: only without ways to more rights
// (no_new_privs), which kConfined implies. Either way it has no core dumps and writes to no file.
enum class Confinement { kConfined, kLimited };

struct ConfinedProgram {
  std::filesystem::path root;      // absolute
  std::vector<std::string> words;  // the program and its arguments; paths begin at `root`
  int input = -1;
  int output = -1;  // its standard error is dropped
};

// The process's id, or why it cannot be started so: this machine may forbid namespaces. Under
// kLimited `root` is prepended to words[0]. Its end is the caller's to wait for.
struct StartedProcess {
  pid_t pid = -1;
  std::string failure;  // "": it runs
};
StartedProcess StartConfined(const ConfinedProgram& program, Confinement confinement);

}  // namespace imgbuild::builder
