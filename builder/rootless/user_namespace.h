// Processes in user namespaces of their own (user_namespaces(7)), where they may mount and give
// files away as root may, among the ids that are mapped.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include <sys/types.h>

#include "builder/host/environment.h"
#include "builder/rootless/id_maps.h"
#include "specs/base/error.h"

namespace imgbuild::builder {

// A forked process. It began with `child`, in the namespace, with every right there and as the
// user it was before.
struct NamespaceChild {
  pid_t pid = -1;
  int errors =
      -1;  // a pipe: what the child could not do (child_error.h); the end once it is closed
};

// `child` gets the pipe's other end, which is closed by execve; it returns an exit status. What it
// throws goes into the pipe, with status 1. It is killed if the calling thread ends before it.
// Throws Error where this machine does not let us have such a namespace.
NamespaceChild ForkIntoNamespace(const IdMaps& maps, const std::function<int(int errors)>& child);

// The text of the pipe up to its end, as an Error is thrown from it; nothing where it is empty.
void ThrowChildError(NamespaceChild& child);

// Runs `action` there and waits for it; throws what it threw.
void RunInNamespace(const IdMaps& maps, const std::function<void()>& action);

// The best maps that this machine grants, tried: root's own ids, subordinate ids, or one user.
// Throws Error where there are no user namespaces at all.
IdMaps GrantedMaps(const UserIds& caller, const UserIds& image);

// Why there is no user namespace, as far as `proc_sys` (/proc/sys) tells.
specs::Error NoUserNamespace(const std::filesystem::path& proc_sys, int error_number);

}  // namespace imgbuild::builder
