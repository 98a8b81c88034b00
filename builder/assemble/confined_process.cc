#include "builder/assemble/confined_process.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>

#include <fcntl.h>
#include <fmt/core.h>
#include <linux/close_range.h>
#include <linux/keyctl.h>
#include <linux/sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "layers/io/file.h"

namespace imgbuild::builder {
namespace {

constexpr std::uint64_t kNamespaces =
    CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS;

// In the order they are done.
constexpr const char* kSteps[] = {"limit the process", "give it its input and output",
                                  "change its root", "start it"};

struct Failure {
  int step = 0;
  int code = 0;
};

// Everything the child needs, made before it begins: other threads may hold any lock there.
struct Prepared {
  const char* root = nullptr;  // null: the root stays
  char* const* argv = nullptr;
  char* const* environment = nullptr;
  int input = -1;
  int output = -1;
  int nowhere = -1;
  int failure = -1;  // where to tell of one; closed by a start
};

template <typename... Arguments>
long Call(long number, Arguments... arguments) {
  return ::syscall(number, arguments...);
}

bool Limit() {
  const rlimit none{.rlim_cur = 0, .rlim_max = 0};
  // Neither signals for our process group nor the user's keys: both come with the session, whatever
  // the namespace.
  Call(SYS_setsid);
  Call(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, nullptr);
  return Call(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L) == 0 &&
         Call(SYS_prlimit64, 0L, RLIMIT_CORE, &none, nullptr) == 0 &&
         Call(SYS_prlimit64, 0L, RLIMIT_FSIZE, &none, nullptr) == 0;
}

// Older kernels have no such call; we open nothing that a program would inherit.
bool CloseOthers() {
  const long closed = Call(SYS_close_range, 3L, ~0U, static_cast<long>(CLOSE_RANGE_CLOEXEC));
  return closed == 0 || errno == ENOSYS;
}

bool Connect(const Prepared& prepared) {
  const std::uint64_t no_signal = 0;
  return Call(SYS_dup3, prepared.input, STDIN_FILENO, 0L) >= 0 &&
         Call(SYS_dup3, prepared.output, STDOUT_FILENO, 0L) >= 0 &&
         Call(SYS_dup3, prepared.nowhere, STDERR_FILENO, 0L) >= 0 && CloseOthers() &&
         Call(SYS_rt_sigprocmask, SIG_SETMASK, &no_signal, nullptr, sizeof no_signal) == 0;
}

// A process that was given a root by chroot makes no user namespaces, and what right it has to
// leave it ends with the start of a program: its user is nobody in its namespace.
bool ChangeRoot(const Prepared& prepared) {
  if (prepared.root == nullptr) return true;
  return Call(SYS_chroot, prepared.root) == 0 && Call(SYS_chdir, "/") == 0;
}

// Only system calls: in a copy of a process with threads nothing else is safe.
[[noreturn]] void BecomeProgram(const Prepared& prepared) {
  Failure failure;
  if (Limit() && ++failure.step != 0 && Connect(prepared) && ++failure.step != 0 &&
      ChangeRoot(prepared) && ++failure.step != 0) {
    Call(SYS_execve, prepared.argv[0], prepared.argv, prepared.environment);
  }
  failure.code = errno;
  Call(SYS_write, prepared.failure, &failure, sizeof failure);
  for (;;) Call(SYS_exit_group, 127L);
}

}  // namespace

StartedProcess StartConfined(const ConfinedProgram& program, Confinement confinement) {
  const bool confined = confinement == Confinement::kConfined;
  std::vector<std::string> words = program.words;
  if (!confined) words[0] = program.root.string() + words[0];
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  char locale[] = "LC_ALL=C.UTF-8";
  char* const environment[] = {locale, nullptr};
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return {-1, std::strerror(errno)};
  const layers::FileDescriptor reading(ends[0]);
  layers::FileDescriptor writing(ends[1]);
  const layers::FileDescriptor nowhere(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  const Prepared prepared{.root = confined ? program.root.c_str() : nullptr,
                          .argv = argv.data(),
                          .environment = environment,
                          .input = program.input,
                          .output = program.output,
                          .nowhere = nowhere.get(),
                          .failure = writing.get()};
  // Not fork: its child would share our process ids and network until it left them itself.
  const long pid = ::syscall(SYS_clone, (confined ? kNamespaces : 0) | SIGCHLD, nullptr, nullptr,
                             nullptr, nullptr);
  if (pid == 0) BecomeProgram(prepared);
  if (pid < 0) return {-1, fmt::format("cannot make namespaces: {}", std::strerror(errno))};
  writing.Reset();
  Failure failure;
  ssize_t got = 0;
  do {
    got = ::read(reading.get(), &failure, sizeof failure);
  } while (got < 0 && errno == EINTR);
  if (got == 0) return {static_cast<pid_t>(pid), ""};
  while (::waitpid(static_cast<pid_t>(pid), nullptr, 0) < 0 && errno == EINTR) {
  }
  return {-1, fmt::format("cannot {}: {}", kSteps[failure.step & 3], std::strerror(failure.code))};
}

}  // namespace imgbuild::builder
