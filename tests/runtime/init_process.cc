#include "tests/runtime/init_process.h"

#include <fstream>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

namespace imgbuild::runtime {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::seconds kPatience(10);

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

InitProcess::InitProcess(const std::string& table, std::vector<std::string> arguments,
                         std::vector<std::string> env) {
  char name[] = "/tmp/imgbuild-init-test-XXXXXX";
  close(mkstemp(name));
  table_file_ = name;
  if (table.empty()) {
    unlink(name);
  } else {
    std::ofstream(table_file_) << table;
  }
  std::vector<std::string> argv = {IMGBUILD_INIT, "--table", table_file_};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  env.push_back("PATH=/usr/bin:/bin");
  control_ = table_file_ + ".sock";
  env.push_back("IMGBUILD_CONTROL=" + control_);
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return;
  std::vector<char*> argv_pointers = Pointers(argv);
  std::vector<char*> env_pointers = Pointers(env);
  pid_ = fork();
  if (pid_ == 0) {
    dup2(ends[1], 1);
    dup2(ends[1], 2);
    execve(argv_pointers[0], argv_pointers.data(), env_pointers.data());
    _exit(99);
  }
  close(ends[1]);
  pipe_ = ends[0];
}

InitProcess::~InitProcess() {
  if (!ended_) {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  close(pipe_);
  unlink(table_file_.c_str());
  unlink(control_.c_str());
}

InitProcess::Asked InitProcess::Ask(std::vector<std::string> arguments) const {
  arguments.insert(arguments.begin(), IMGBUILD_INIT);
  std::vector<std::string> env = {"IMGBUILD_CONTROL=" + control_};
  std::vector<char*> argv_pointers = Pointers(arguments);
  std::vector<char*> env_pointers = Pointers(env);
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return {};
  const pid_t child = fork();
  if (child == 0) {
    dup2(ends[1], 1);
    dup2(ends[1], 2);
    execve(argv_pointers[0], argv_pointers.data(), env_pointers.data());
    _exit(99);
  }
  close(ends[1]);
  Asked asked;
  char buffer[65536];
  ssize_t got;
  while ((got = read(ends[0], buffer, sizeof buffer)) > 0) {
    asked.output.append(buffer, static_cast<std::size_t>(got));
  }
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFEXITED(status)) asked.status = WEXITSTATUS(status);
  return asked;
}

void InitProcess::Signal(int number) const { kill(pid_, number); }

bool InitProcess::ReadSome(std::chrono::milliseconds wait) {
  pollfd waiter{pipe_, POLLIN, 0};
  if (poll(&waiter, 1, static_cast<int>(wait.count())) <= 0) return false;
  char buffer[65536];
  ssize_t got = read(pipe_, buffer, sizeof buffer);
  if (got > 0) output_.append(buffer, static_cast<std::size_t>(got));
  return got > 0;
}

bool InitProcess::WaitFor(const std::string& text) {
  const Clock::time_point deadline = Clock::now() + kPatience;
  while (output_.find(text) == std::string::npos) {
    if (Clock::now() > deadline) return false;
    ReadSome(std::chrono::milliseconds(20));
  }
  return true;
}

int InitProcess::WaitForExit() {
  const Clock::time_point deadline = Clock::now() + kPatience;
  int status = 0;
  while (waitpid(pid_, &status, WNOHANG) == 0) {
    if (Clock::now() > deadline) return -1;
    ReadSome(std::chrono::milliseconds(5));
  }
  ended_ = true;
  // Descendants may still hold the pipe: read what is there, wait for nothing.
  while (ReadSome(std::chrono::milliseconds(0))) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace imgbuild::runtime
