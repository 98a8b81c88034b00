#include "tests/runtime/init_setup.h"

#include <fstream>

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace imgbuild::runtime {
namespace {

[[noreturn]] void Refrain(const char* what) {
  dprintf(STDERR_FILENO, "the test could not %s: %s\n", what, strerror(errno));
  _exit(99);
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

bool UnmountProc() {
  return unshare(CLONE_NEWNS) == 0 &&
         mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
         umount2("/proc", MNT_DETACH) == 0;
}

bool Join(const std::string& cgroup) {
  std::ofstream file(cgroup + "/cgroup.procs");
  file << "0" << std::flush;
  return file.good();
}

// Children of this process begin in a time namespace of their own.
bool SetClockAhead(std::chrono::seconds ahead) {
  if (unshare(CLONE_NEWTIME) != 0) return false;
  std::ofstream file("/proc/self/timens_offsets");
  file << "monotonic " << ahead.count() << " 0\nboottime " << ahead.count() << " 0\n" << std::flush;
  return file.good();
}

}  // namespace

pid_t ForkInto(const InitSetup& setup) {
  if (setup.ahead) {
    const int own = open("/proc/self/ns/time", O_RDONLY | O_CLOEXEC);
    const pid_t child = SetClockAhead(*setup.ahead) ? fork() : -1;
    if (child == 0) return 0;
    setns(own, CLONE_NEWTIME);
    close(own);
    return child;
  }
  if (!setup.first) return fork();
  return static_cast<pid_t>(syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0));
}

bool IsPossible(const InitSetup& setup) {
  const pid_t child = ForkInto(setup);
  if (child == -1) return false;
  if (child == 0) _exit(setup.without_proc && !UnmountProc() ? 1 : 0);
  int status = 0;
  return waitpid(child, &status, 0) == child && status == 0;
}

void Prepare(const InitSetup& setup) {
  for (int fd : setup.closed) close(fd);
  if (!setup.cgroup.empty() && !Join(setup.cgroup)) Refrain("join a cgroup");
  if (setup.without_proc && !UnmountProc()) Refrain("unmount /proc");
}

void Restrict(const InitSetup& setup) {
  if (!setup.refused.empty() && !Refuse(setup.refused)) Refrain("refuse system calls");
  if (setup.uid && (setgid(*setup.uid) != 0 || setuid(*setup.uid) != 0)) {
    Refrain("become another user");
  }
  const rlimit most{setup.most.value_or(0), setup.most.value_or(0)};
  if (setup.most && setrlimit(RLIMIT_NPROC, &most) != 0) Refrain("limit processes");
}

}  // namespace imgbuild::runtime
