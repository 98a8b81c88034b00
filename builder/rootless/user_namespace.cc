#include "builder/rootless/user_namespace.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <fcntl.h>
#include <fmt/core.h>
#include <pwd.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "builder/host/program.h"
#include "builder/rootless/child_error.h"
#include "layers/io/file.h"
#include "layers/io/pipe.h"
#include "specs/base/error.h"
#include "specs/base/text.h"

namespace imgbuild::builder {
namespace {

namespace fs = std::filesystem;

// Files of /proc have no size.
std::string TextOf(const fs::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

void Tell(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(fd, text.data(), text.size());
    if (count <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
}

std::string ReadToEnd(int fd) {
  std::string text;
  std::array<char, 4096> buffer;
  for (;;) {
    const ssize_t count = ::read(fd, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(count));
  }
}

// In one write, which the kernel asks for.
bool WriteProc(pid_t pid, const char* name, const std::string& text) {
  const std::string path = fmt::format("/proc/{}/{}", pid, name);
  const layers::FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  return file.valid() &&
         ::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

std::string Lines(const std::vector<IdRange>& ranges) {
  std::string text;
  for (const IdRange& range : ranges) {
    text += fmt::format("{} {} {}\n", range.inside, range.outside, range.count);
  }
  return text;
}

bool RunHelper(const char* program, pid_t pid, const std::vector<IdRange>& ranges) {
  std::vector<std::string> words = {program, std::to_string(pid)};
  for (const IdRange& range : ranges) {
    for (std::uint32_t number : {range.inside, range.outside, range.count}) {
      words.push_back(std::to_string(number));
    }
  }
  return RunProgram({.words = std::move(words), .input = {}}).status == 0;
}

bool WriteMaps(pid_t pid, const IdMaps& maps) {
  if (maps.writer == MapWriter::kHelpers) {
    return RunHelper("newuidmap", pid, maps.uids) && RunHelper("newgidmap", pid, maps.gids);
  }
  // Who has no right over groups may map only its own, and only once nobody can drop others.
  if (!WriteProc(pid, "gid_map", Lines(maps.gids))) {
    if (!WriteProc(pid, "setgroups", "deny")) return false;
    if (!WriteProc(pid, "gid_map", Lines(maps.gids))) return false;
  }
  return WriteProc(pid, "uid_map", Lines(maps.uids));
}

int ChildMain(pid_t parent, layers::Pipe& ready, layers::Pipe& go, layers::Pipe& errors,
              const std::function<int(int errors)>& child) {
  ready.reading.Reset();
  go.writing.Reset();
  errors.reading.Reset();
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) return 1;
  const int failed = ::unshare(CLONE_NEWUSER) == 0 ? 0 : errno;
  Tell(ready.writing.get(), std::to_string(failed));
  ready.writing.Reset();
  if (failed != 0 || ReadToEnd(go.reading.get()) != "go") return 1;
  try {
    return child(errors.writing.get());
  } catch (const specs::Error& error) {
    Tell(errors.writing.get(), RenderError(error));
  } catch (const std::exception& error) {
    Tell(errors.writing.get(), RenderError(specs::Error(error.what())));
  }
  return 1;
}

void EndChild(pid_t pid) {
  ::kill(pid, SIGKILL);
  while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
}

std::string CallerName(uid_t uid) {
  const passwd* entry = ::getpwuid(uid);
  return entry == nullptr ? "" : entry->pw_name;
}

bool Works(const IdMaps& maps) {
  try {
    RunInNamespace(maps, [] {});
    return true;
  } catch (const specs::Error&) {
    return false;
  }
}

}  // namespace

NamespaceChild ForkIntoNamespace(const IdMaps& maps, const std::function<int(int errors)>& child) {
  layers::Pipe ready;
  layers::Pipe go;
  layers::Pipe errors;
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) throw specs::Error("cannot start a process").Found(std::strerror(errno));
  if (pid == 0) ::_exit(ChildMain(parent, ready, go, errors, child));
  ready.writing.Reset();
  go.reading.Reset();
  errors.writing.Reset();
  const std::string failed = ReadToEnd(ready.reading.get());
  if (failed != "0") {
    EndChild(pid);
    throw NoUserNamespace("/proc/sys",
                          static_cast<int>(specs::ParseUnsigned(failed).value_or(EINVAL)));
  }
  bool mapped = false;
  int number = 0;
  try {
    mapped = WriteMaps(pid, maps);
    number = errno;
  } catch (const specs::Error&) {
    number = ENOENT;  // no such helper
  }
  if (!mapped) {
    EndChild(pid);
    throw NoUserNamespace("/proc/sys", number);
  }
  Tell(go.writing.get(), "go");
  return {.pid = pid, .errors = errors.reading.Release()};
}

void ThrowChildError(NamespaceChild& child) {
  const layers::FileDescriptor errors(child.errors);
  child.errors = -1;
  if (auto error = ParseError(ReadToEnd(errors.get()))) throw std::move(*error);
}

void RunInNamespace(const IdMaps& maps, const std::function<void()>& action) {
  NamespaceChild child = ForkIntoNamespace(maps, [&](int) {
    action();
    return 0;
  });
  struct Wait {
    pid_t pid;
    int status = 0;
    ~Wait() { Now(); }
    void Now() {
      while (pid > 0 && ::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
      }
      pid = -1;
    }
  } wait{child.pid};
  ThrowChildError(child);
  wait.Now();
  if (wait.status != 0) {
    throw specs::Error("a process in a user namespace ended")
        .Found(fmt::format("wait status {}", wait.status));
  }
}

IdMaps GrantedMaps(const UserIds& caller, const UserIds& image) {
  if (caller.uid == 0) {
    const auto same = SameMaps(TextOf("/proc/self/uid_map"), TextOf("/proc/self/gid_map"));
    if (same && Works(*same)) return *same;
  } else if (const auto path = Environment::OfProcess().Get("PATH");
             path && !FindProgram("newuidmap", *path).empty() &&
             !FindProgram("newgidmap", *path).empty()) {
    const auto subordinate = SubordinateMaps(caller, CallerName(caller.uid), image,
                                             TextOf("/etc/subuid"), TextOf("/etc/subgid"));
    if (subordinate && Works(*subordinate)) return *subordinate;
  }
  IdMaps single = SingleMaps(caller, image);
  RunInNamespace(single, [] {});
  return single;
}

specs::Error NoUserNamespace(const fs::path& proc_sys, int error_number) {
  struct Switch {
    const char* path;
    const char* closed;
    const char* open;
  };
  constexpr Switch kSwitches[] = {
      {"kernel/unprivileged_userns_clone", "0", "1"},
      {"user/max_user_namespaces", "0", "15000"},
      {"kernel/apparmor_restrict_unprivileged_userns", "1", "0"},
  };
  std::string found = std::strerror(error_number);
  std::string hint;
  for (const Switch& option : kSwitches) {
    const std::string value(specs::Trim(TextOf(proc_sys / option.path)));
    if (value != option.closed) continue;
    std::string name = option.path;
    std::replace(name.begin(), name.end(), '/', '.');
    found += fmt::format("; {} is {}", name, value);
    hint = fmt::format("root may allow them: sysctl -w {}={}", name, option.open);
    break;
  }
  if (hint.empty()) {
    hint =
        "inside a container, its engine has to allow them; elsewhere `imgbuild run` without "
        "--rootless uses podman or docker";
  }
  return specs::Error("this machine grants no user namespace")
      .Found(std::move(found))
      .Expected("user namespaces for everybody, which --rootless runs images in")
      .Hint(std::move(hint));
}

}  // namespace imgbuild::builder
