#include "builder/host/program.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <optional>
#include <thread>

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "layers/io/file.h"
#include "layers/io/pipe.h"
#include "specs/base/error.h"
#include "specs/base/text.h"

extern char** environ;

namespace imgbuild::builder {
namespace {

// That this program ignores, and others should not.
constexpr int kIgnored[] = {SIGPIPE, SIGXFSZ};

struct Actions {
  posix_spawn_file_actions_t value;
  Actions() { ::posix_spawn_file_actions_init(&value); }
  ~Actions() { ::posix_spawn_file_actions_destroy(&value); }
  Actions(const Actions&) = delete;
  Actions& operator=(const Actions&) = delete;
};

struct Attributes {
  posix_spawnattr_t value;
  explicit Attributes(short more = 0) {
    ::posix_spawnattr_init(&value);
    sigset_t none;
    sigset_t ours;
    ::sigemptyset(&none);
    ::sigemptyset(&ours);
    for (int number : kIgnored) ::sigaddset(&ours, number);
    ::posix_spawnattr_setsigmask(&value, &none);
    ::posix_spawnattr_setsigdefault(&value, &ours);
    ::posix_spawnattr_setflags(
        &value, static_cast<short>(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | more));
  }
  ~Attributes() { ::posix_spawnattr_destroy(&value); }
  Attributes(const Attributes&) = delete;
  Attributes& operator=(const Attributes&) = delete;
};

// As execve wants them. Borrows.
std::vector<char*> Pointers(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return pointers;
}

specs::Error CannotRun(const std::string& program, int code) {
  return specs::Error(fmt::format("cannot run {}", program)).Found(std::strerror(code));
}

pid_t StartInGroup(std::vector<std::string>& words, const Actions& actions) {
  const Attributes attributes(POSIX_SPAWN_SETPGROUP);
  const std::vector<char*> arguments = Pointers(words);
  pid_t child = 0;
  const int failed = ::posix_spawnp(&child, words.at(0).c_str(), &actions.value, &attributes.value,
                                    arguments.data(), environ);
  if (failed != 0) throw CannotRun(words[0], failed);
  return child;
}

using Clock = std::chrono::steady_clock;

// Whether there is something to read, or an end of it, before that time; nullopt is any time.
bool IsReadable(int fd, std::optional<Clock::time_point> deadline) {
  pollfd wanted{.fd = fd, .events = POLLIN, .revents = 0};
  for (;;) {
    int wait = -1;
    if (deadline) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(*deadline - Clock::now());
      wait = static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 1'000'000));
    }
    const int ready = ::poll(&wanted, 1, wait);
    if (ready > 0) return true;
    if (ready == 0 && Clock::now() >= *deadline) return false;
  }
}

// Nullopt where that took longer.
std::optional<std::string> ReadAll(int fd, std::size_t most,
                                   std::optional<Clock::time_point> deadline) {
  std::string text;
  std::array<char, 4096> buffer;
  for (;;) {
    if (!IsReadable(fd, deadline)) return std::nullopt;
    const ssize_t count = ::read(fd, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return text;
    if (text.size() < most) {
      text.append(buffer.data(), std::min(static_cast<std::size_t>(count), most - text.size()));
    }
  }
}

// Its status; nullopt where its end took longer.
std::optional<int> WaitFor(pid_t child, std::optional<Clock::time_point> deadline) {
  constexpr std::chrono::milliseconds kLook(5);
  int status = 0;
  for (;;) {
    const pid_t ended = ::waitpid(child, &status, deadline ? WNOHANG : 0);
    if (ended == child || (ended < 0 && errno != EINTR)) return status;
    if (!deadline || ended < 0) continue;
    if (Clock::now() >= *deadline) return std::nullopt;
    std::this_thread::sleep_for(kLook);
  }
}

// Whether anybody reads it or not.
void WriteAll(int fd, const std::string& text) {
  sigset_t pipe_signal;
  sigset_t previous;
  ::sigemptyset(&pipe_signal);
  ::sigaddset(&pipe_signal, SIGPIPE);
  ::pthread_sigmask(SIG_BLOCK, &pipe_signal, &previous);
  [[maybe_unused]] const ssize_t written = ::write(fd, text.data(), text.size());
  const timespec now{};
  while (::sigtimedwait(&pipe_signal, nullptr, &now) > 0) {
  }
  ::pthread_sigmask(SIG_SETMASK, &previous, nullptr);
}

}  // namespace

std::string FindProgram(std::string_view name, std::string_view path) {
  for (std::string_view folder : specs::Split(path, ':')) {
    std::string file = fmt::format("{}/{}", folder.empty() ? "." : folder, name);
    if (::access(file.c_str(), X_OK) == 0) return file;
  }
  return "";
}

ProgramAnswer RunProgram(const ProgramRun& run) {
  layers::Pipe in;
  layers::Pipe out;
  Actions actions;
  ::posix_spawn_file_actions_adddup2(&actions.value, in.reading.get(), STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions.value, out.writing.get(), STDOUT_FILENO);
  if (run.mute) {
    ::posix_spawn_file_actions_addopen(&actions.value, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  }
  if (!run.folder.empty()) {
    ::posix_spawn_file_actions_addchdir_np(&actions.value, run.folder.c_str());
  }
  const Attributes attributes;
  std::vector<std::string> words = run.words;
  const std::vector<char*> arguments = Pointers(words);
  pid_t child = 0;
  const int failed = ::posix_spawnp(&child, words.at(0).c_str(), &actions.value, &attributes.value,
                                    arguments.data(), environ);
  if (failed != 0) throw CannotRun(words[0], failed);
  in.reading.Reset();
  out.writing.Reset();
  if (!run.input.empty()) WriteAll(in.writing.get(), run.input);
  in.writing.Reset();
  std::optional<Clock::time_point> deadline;
  if (run.patience.count() > 0) deadline = Clock::now() + run.patience;
  std::optional<std::string> output = ReadAll(out.reading.get(), run.most_output, deadline);
  const std::optional<int> status = output ? WaitFor(child, deadline) : std::nullopt;
  if (!status) {
    ::kill(child, SIGKILL);
    WaitFor(child, std::nullopt);
    throw specs::Error(fmt::format("{} does not come to an end", words[0]))
        .Found(fmt::format("nothing after {}",
                           specs::HumanDuration(static_cast<std::uint64_t>(run.patience.count()))));
  }
  return {.status = WIFEXITED(*status) ? WEXITSTATUS(*status) : 128 + WTERMSIG(*status),
          .output = *std::move(output)};
}

ProgramBeside::ProgramBeside(std::vector<std::string> words) {
  layers::Pipe out;
  Actions actions;
  ::posix_spawn_file_actions_addopen(&actions.value, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions.value, out.writing.get(), STDOUT_FILENO);
  child_ = StartInGroup(words, actions);
  output_ = std::move(out.reading);
}

ProgramBeside::~ProgramBeside() {
  ::kill(child_, SIGKILL);
  while (::waitpid(child_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

std::string ProgramBeside::Read() {
  std::array<char, 16384> buffer;
  for (;;) {
    const ssize_t count = ::read(output_.get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    return count <= 0 ? "" : std::string(buffer.data(), static_cast<std::size_t>(count));
  }
}

void StartAndForget(std::vector<std::string> words) {
  Actions actions;
  for (int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    ::posix_spawn_file_actions_addopen(&actions.value, fd, "/dev/null", O_RDWR, 0);
  }
  StartInGroup(words, actions);
}

void BecomeProgram(std::vector<std::string> words) {
  const std::vector<char*> arguments = Pointers(words);
  sigset_t none;
  ::sigemptyset(&none);
  for (int number : kIgnored) ::signal(number, SIG_DFL);
  ::pthread_sigmask(SIG_SETMASK, &none, nullptr);
  ::execvp(words.at(0).c_str(), arguments.data());
  throw CannotRun(words[0], errno);
}

}  // namespace imgbuild::builder
