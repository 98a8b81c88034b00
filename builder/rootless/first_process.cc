#include "builder/rootless/first_process.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>

#include <fmt/core.h>
#include <grp.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/rootless/copy_tree.h"
#include "builder/rootless/mounts.h"
#include "layers/io/file.h"
#include "layers/tree/path.h"
#include "specs/base/error.h"

namespace imgbuild::builder {
namespace {

namespace fs = std::filesystem;

// What a program that runs as root in a container may do: what engines leave it.
constexpr int kRootMay[] = {CAP_CHOWN,   CAP_DAC_OVERRIDE, CAP_FOWNER,          CAP_FSETID,
                            CAP_KILL,    CAP_SETGID,       CAP_SETUID,          CAP_SETPCAP,
                            CAP_SETFCAP, CAP_SYS_CHROOT,   CAP_NET_BIND_SERVICE};

void MakeFolder(const fs::path& path, const fs::path& like) {
  struct stat status {};
  if (::mkdir(path.c_str(), 0755) != 0 || ::stat(like.c_str(), &status) != 0) {
    throw layers::FileError("create", path, errno);
  }
  [[maybe_unused]] const int given = ::chown(path.c_str(), status.st_uid, status.st_gid);
  ::chmod(path.c_str(), status.st_mode & 07777);
}

// The tree with a folder of the run's own over it.
fs::path MakeRoot(const RootlessRun& run, const fs::path& folder) {
  fs::path root = folder / "root";
  for (const char* name : {"root", "upper", "work"}) MakeFolder(folder / name, run.tree);
  const auto relative = [&](const fs::path& path) {
    return path.lexically_relative(run.base).string();
  };
  if (MountOverlay(run.base.string(), relative(run.tree), relative(folder / "upper"),
                   relative(folder / "work"), relative(root))) {
    return root;
  }
  fmt::print(stderr, "note: no overlayfs here ({}): the image's files are copied for this run\n",
             std::strerror(errno));
  CopyTree(run.tree.string(), root.string());
  BindOntoItself(root.string());
  return root;
}

// As engines do it with new volumes.
void FillVolumes(const RootlessRun& run) {
  const RootFolder tree(run.tree);
  for (const SharedFolder& volume : run.volumes) {
    const auto inside = layers::CanonicalPath(volume.inside);
    if (!fs::is_empty(volume.host) || !inside) continue;
    const layers::FileDescriptor content = tree.Find(*inside);
    struct stat status {};
    if (!content.valid() || ::fstat(content.get(), &status) != 0) continue;
    if (S_ISDIR(status.st_mode)) CopyTree(PathOf(content) + "/.", volume.host.string());
  }
}

void LeaveNamespaces() {
  constexpr int kFlags = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC;
  if (::unshare(kFlags | CLONE_NEWCGROUP) == 0 || ::unshare(kFlags) == 0) return;
  throw specs::Error("this machine grants no mount namespace").Found(std::strerror(errno));
}

void DieWith(int alive) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  pollfd poll{.fd = alive, .events = POLLIN, .revents = 0};
  if (::poll(&poll, 1, 0) > 0 && (poll.revents & POLLHUP) != 0) ::_exit(1);
}

void GiveUpRights(const UserIds& user) {
  for (int right = 0; ::prctl(PR_CAPBSET_READ, right) >= 0; ++right) {
    const bool kept = user.uid == 0 && std::ranges::find(kRootMay, right) != std::end(kRootMay);
    if (!kept) ::prctl(PR_CAPBSET_DROP, right);
  }
  [[maybe_unused]] const int dropped = ::setgroups(0, nullptr);  // denied where one id is mapped
  if (::setresgid(user.gid, user.gid, user.gid) != 0 ||
      ::setresuid(user.uid, user.uid, user.uid) != 0) {
    throw specs::Error(fmt::format("cannot become the image's user {}:{}", user.uid, user.gid))
        .Found(std::strerror(errno))
        .Hint("ids in /etc/subuid and /etc/subgid, for newuidmap and newgidmap, make room for it");
  }
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

void ResetSignals() {
  for (int number : {SIGPIPE, SIGXFSZ}) ::signal(number, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

std::vector<char*> Pointers(const std::vector<std::string>& words) {
  std::vector<char*> pointers;
  for (const std::string& word : words) pointers.push_back(const_cast<char*>(word.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

[[noreturn]] void Execute(const RootlessRun& run) {
  ::clearenv();
  for (const std::string& variable : run.env) ::putenv(const_cast<char*>(variable.c_str()));
  const std::vector<char*> words = Pointers(run.words);
  ::execvp(words[0], words.data());
  throw specs::Error(fmt::format("cannot run {}", run.words.at(0))).Found(std::strerror(errno));
}

}  // namespace

void BecomeFirstProcess(const RootlessRun& run, const fs::path& folder, int alive) {
  DieWith(alive);
  LeaveNamespaces();
  MakeMountsPrivate();
  FillVolumes(run);
  std::vector<SharedFolder> folders = run.folders;
  folders.insert(folders.end(), run.volumes.begin(), run.volumes.end());
  const RootFolder root(MakeRoot(run, folder));
  for (const auto& [path, content] : run.files) root.Overwrite(path, content);
  MakeMounts(root, MountsFor(std::move(folders)));
  EnterRoot(root);
  ::umask(022);
  if (::chdir(run.workdir.empty() ? "/" : run.workdir.c_str()) != 0) {
    throw layers::FileError("enter", run.workdir, errno);
  }
  GiveUpRights(run.user);
  DieWith(alive);  // a change of user forgets it
  ::close_range(3, ~0u, CLOSE_RANGE_CLOEXEC);
  ResetSignals();
  Execute(run);
}

fs::path WrittenBelow(const fs::path& folder) {
  // An overlay was mounted on it, which nobody else sees.
  fs::path root = folder / "root";
  std::error_code error;
  return fs::is_empty(root, error) ? folder / "upper" : root;
}

}  // namespace imgbuild::builder
