#include "tests/runtime/init_process.h"

#include <fstream>
#include <sstream>

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
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

bool BecomeOneWithoutProcesses(uid_t uid) {
  const rlimit none{0, 0};
  return setgid(uid) == 0 && setuid(uid) == 0 && setrlimit(RLIMIT_NPROC, &none) == 0;
}

bool Refuse(const std::vector<int>& calls) {
  std::vector<sock_filter> program = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr))};
  for (int call : calls) {
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<__u32>(call), 0, 1));
    program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM));
  }
  program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

[[noreturn]] void Refrain(const char* what) {
  dprintf(STDERR_FILENO, "the test could not %s: %s\n", what, strerror(errno));
  _exit(99);
}

}  // namespace

std::string InitProgram() {
  const char* given = std::getenv("IMGBUILD_INIT");
  return given != nullptr ? given : IMGBUILD_INIT;
}

InitProcess::InitProcess(const std::string& table, std::vector<std::string> arguments,
                         std::vector<std::string> env, const InitSetup& setup) {
  char name[] = "/tmp/imgbuild-init-test-XXXXXX";
  close(mkstemp(name));
  table_file_ = name;
  if (table.empty()) {
    unlink(name);
  } else {
    ChangeTable(table);
  }
  std::vector<std::string> argv = {InitProgram(), "--table", table_file_};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  env.push_back("PATH=/usr/bin:/bin");
  control_ = table_file_ + ".sock";
  env.push_back("IMGBUILD_CONTROL=" + control_);
  Run(setup, std::move(argv), std::move(env));
}

void InitProcess::Run(const InitSetup& setup, std::vector<std::string> arguments,
                      std::vector<std::string> env) {
  int ends[2];
  const int made = setup.terminal ? openpty(&ends[0], &ends[1], nullptr, nullptr, nullptr)
                                  : pipe2(ends, O_CLOEXEC);
  if (made != 0) return;
  // A sanitized program looks for leaks by means of a process that traces it: neither may it have.
  if (setup.uid || !setup.refused.empty()) env.push_back("ASAN_OPTIONS=detect_leaks=0");
  std::vector<char*> argv_pointers = Pointers(arguments);
  std::vector<char*> env_pointers = Pointers(env);
  pid_ = fork();
  if (pid_ == 0) {
    dup2(ends[1], 1);
    dup2(ends[1], 2);
    for (int fd : setup.closed) close(fd);
    // Opened while the folders above it may still be searched.
    const int program = open(argv_pointers[0], O_RDONLY | O_CLOEXEC);
    if (!setup.refused.empty() && !Refuse(setup.refused)) Refrain("refuse system calls");
    if (setup.uid && !BecomeOneWithoutProcesses(*setup.uid)) Refrain("become another user");
    fexecve(program, argv_pointers.data(), env_pointers.data());
    Refrain("start the program");
  }
  close(ends[1]);
  pipe_ = ends[0];
}

void InitProcess::ChangeTable(const std::string& table) const {
  std::ofstream(table_file_) << table;
  chmod(table_file_.c_str(), 0644);
}

InitProcess::~InitProcess() {
  if (!ended_) {
    // With its services, even where the test failed.
    kill(pid_, SIGTERM);
    for (int i = 0; i < 200 && !ended_; ++i) {
      if (waitpid(pid_, nullptr, WNOHANG) == pid_) ended_ = true;
      if (!ended_) ReadSome(std::chrono::milliseconds(10));
    }
  }
  if (!ended_) {
    std::istringstream children(Children());
    for (pid_t child; children >> child;) kill(-child, SIGKILL);
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  if (pipe_ >= 0) close(pipe_);
  unlink(table_file_.c_str());
  unlink(control_.c_str());
}

InitProcess::Asked InitProcess::Ask(std::vector<std::string> arguments) const {
  arguments.insert(arguments.begin(), InitProgram());
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

void InitProcess::Poll() {
  while (ReadSome(std::chrono::milliseconds(0))) {
  }
}

void InitProcess::CloseOutput() {
  close(pipe_);
  pipe_ = -1;
}

std::string InitProcess::Children() const {
  const std::string pid = std::to_string(pid_);
  std::ifstream file("/proc/" + pid + "/task/" + pid + "/children");
  return {std::istreambuf_iterator<char>(file), {}};
}

bool InitProcess::WaitFor(const std::string& text, std::chrono::seconds patience) {
  const Clock::time_point deadline = Clock::now() + patience;
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
  Poll();
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace imgbuild::runtime
