#include "tests/runtime/init_process.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>
#include <thread>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

namespace imgbuild::runtime {
namespace {

using Clock = std::chrono::steady_clock;

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// The numbers that folders of /proc have as names.
std::vector<pid_t> AllProcesses() {
  std::vector<pid_t> pids;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") == std::string::npos) pids.push_back(std::stoi(name));
  }
  return pids;
}

std::string ReadProc(pid_t pid, const char* name) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/" + name);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

std::vector<std::string> InitCommand(const std::vector<std::string>& arguments) {
  const char* given = std::getenv("IMGBUILD_INIT");
  const char* runner = std::getenv("IMGBUILD_INIT_RUNNER");
  std::vector<std::string> command;
  if (runner != nullptr) command.emplace_back(runner);
  command.emplace_back(given != nullptr ? given : IMGBUILD_INIT);
  command.insert(command.end(), arguments.begin(), arguments.end());
  return command;
}

int ConnectTo(const std::string& control) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  control.copy(address.sun_path, sizeof address.sun_path - 1);
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) return fd;
  close(fd);
  return -1;
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
  arguments.insert(arguments.begin(), {"--table", table_file_});
  env.push_back("PATH=/usr/bin:/bin");
  control_ = table_file_ + ".sock";
  env.push_back("IMGBUILD_CONTROL=" + control_);
  Run(setup, InitCommand(arguments), std::move(env));
}

void InitProcess::Run(const InitSetup& setup, std::vector<std::string> command,
                      std::vector<std::string> env) {
  int ends[2];
  const int made = setup.terminal ? openpty(&ends[0], &ends[1], nullptr, nullptr, nullptr)
                                  : pipe2(ends, O_CLOEXEC);
  if (made != 0) throw std::system_error(errno, std::generic_category(), "an output");
  for (int fd : ends) fcntl(fd, F_SETFD, FD_CLOEXEC);
  std::vector<char*> argv_pointers = Pointers(command);
  std::vector<char*> env_pointers = Pointers(env);
  pid_ = ForkInto(setup);
  if (pid_ < 0) throw std::system_error(errno, std::generic_category(), "a process");
  if (pid_ == 0) {
    dup2(ends[1], 1);
    dup2(ends[1], 2);
    // Opened while the folders above it may still be searched.
    const int program = open(argv_pointers[0], O_RDONLY | O_CLOEXEC);
    Prepare(setup);
    Restrict(setup);
    fexecve(program, argv_pointers.data(), env_pointers.data());
    _exit(99);
  }
  close(ends[1]);
  pipe_ = ends[0];
}

void InitProcess::ChangeTable(const std::string& table) const {
  const std::string next = table_file_ + ".next";
  std::ofstream(next) << table;
  chmod(next.c_str(), 0644);
  std::filesystem::rename(next, table_file_);  // never half of one
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
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  for (pid_t left : Descendants()) kill(left, SIGKILL);
  if (pipe_ >= 0) close(pipe_);
  unlink(table_file_.c_str());
  unlink(control_.c_str());
}

InitProcess::Asked InitProcess::Ask(const std::vector<std::string>& arguments) const {
  std::vector<std::string> command = InitCommand(arguments);
  std::vector<std::string> env = {"IMGBUILD_CONTROL=" + control_};
  std::vector<char*> argv_pointers = Pointers(command);
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
  if (!reading_) {
    std::this_thread::sleep_for(wait);
    return false;
  }
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

void InitProcess::ReadUpTo(std::size_t most) {
  pollfd waiter{pipe_, POLLIN, 0};
  if (poll(&waiter, 1, 0) <= 0) return;
  const std::size_t before = output_.size();
  output_.resize(before + most);
  const ssize_t got = read(pipe_, output_.data() + before, most);
  output_.resize(before + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
}

std::vector<pid_t> InitProcess::Children() const {
  std::vector<pid_t> children;
  for (pid_t pid : AllProcesses()) {
    // pid (name) state parent ...
    const std::string stat = ReadProc(pid, "stat");
    std::istringstream rest(stat.substr(std::min(stat.rfind(')') + 1, stat.size())));
    char state = 0;
    pid_t parent = 0;
    if (rest >> state >> parent && parent == pid_) children.push_back(pid);
  }
  return children;
}

std::vector<pid_t> InitProcess::Descendants() const {
  std::vector<pid_t> descendants;
  for (pid_t pid : AllProcesses()) {
    if (pid == pid_) continue;
    // A zombie has none.
    if (ReadProc(pid, "environ").find(control_) != std::string::npos) descendants.push_back(pid);
  }
  return descendants;
}

std::vector<std::string> InitProcess::Leftovers() const {
  std::vector<pid_t> left = Descendants();
  for (int i = 0; i < 500 && !left.empty(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    left = Descendants();
  }
  std::vector<std::string> commands;
  for (pid_t pid : left) {
    std::string command = ReadProc(pid, "cmdline");
    std::replace(command.begin(), command.end(), '\0', ' ');
    commands.push_back(std::to_string(pid) + " " + command);
  }
  return commands;
}

bool InitProcess::WaitFor(const std::string& text, std::chrono::seconds patience) {
  const Clock::time_point deadline = Clock::now() + patience;
  while (output_.find(text) == std::string::npos) {
    if (Clock::now() > deadline) return false;
    ReadSome(std::chrono::milliseconds(20));
  }
  return true;
}

int InitProcess::WaitForExit(std::chrono::milliseconds patience) {
  const Clock::time_point deadline = Clock::now() + patience;
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
