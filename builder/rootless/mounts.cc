#include "builder/rootless/mounts.h"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "builder/rootless/remove_tree.h"
#include "layers/tree/path.h"
#include "specs/base/error.h"

namespace imgbuild::builder {
namespace {

specs::Error Refused(const std::string& what, int error_number) {
  return specs::Error(fmt::format("cannot mount {}", what)).Found(std::strerror(error_number));
}

bool Bind(const std::string& source, const layers::FileDescriptor& target) {
  return ::mount(source.c_str(), PathOf(target).c_str(), nullptr, MS_BIND | MS_REC, nullptr) == 0;
}

// A bind mount may not shed the restrictions of what it shows, so all of it is set at once.
void MakeReadOnly(const RootFolder& root, const std::string& path) {
  const layers::FileDescriptor mounted = root.Find(path);
  struct mount_attr attributes {};
  attributes.attr_set = MOUNT_ATTR_RDONLY;
  [[maybe_unused]] const int result = ::mount_setattr(
      mounted.get(), "", AT_EMPTY_PATH | AT_RECURSIVE, &attributes, sizeof(attributes));
}

bool MountNew(const RootFolder& root, const PlannedMount& mount) {
  const layers::FileDescriptor target = root.MakeFolder(mount.target);
  if (::mount(mount.source.c_str(), PathOf(target).c_str(), mount.source.c_str(), mount.flags,
              mount.options.c_str()) == 0) {
    return true;
  }
  const int refused = errno;
  if (!mount.instead.empty() && Bind(mount.instead, target)) return true;
  errno = refused;
  return false;
}

bool MakeLink(const RootFolder& root, const PlannedMount& mount) {
  const std::string parent(layers::ParentPath(mount.target));
  const layers::FileDescriptor folder = root.MakeFolder(parent);
  const std::string name = mount.target.substr(mount.target.rfind('/') + 1);
  RemoveAt(folder.get(), name);
  return ::symlinkat(mount.source.c_str(), folder.get(), name.c_str()) == 0;
}

bool Make(const RootFolder& root, const PlannedMount& mount) {
  switch (mount.kind) {
    case MountKind::kBindFolder:
      return Bind(mount.source, root.MakeFolder(mount.target));
    case MountKind::kBindFile:
      return ::access(mount.source.c_str(), F_OK) == 0 &&
             Bind(mount.source, root.MakeFile(mount.target));
    case MountKind::kBindReadOnly:
      if (!Bind(mount.source, root.MakeFolder(mount.target))) return false;
      MakeReadOnly(root, mount.target);
      return true;
    case MountKind::kNew:
      return MountNew(root, mount);
    case MountKind::kLink:
      return MakeLink(root, mount);
  }
  return false;
}

}  // namespace

void MakeMountsPrivate() {
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    throw Refused("anything for this process alone", errno);
  }
}

bool MountOverlay(const std::string& base, const std::string& tree, const std::string& upper,
                  const std::string& work, const std::string& target) {
  if (::chdir(base.c_str()) != 0) throw layers::FileError("enter", base, errno);
  const std::string folders = fmt::format("lowerdir={},upperdir={},workdir={}", tree, upper, work);
  for (const char* more : {",userxattr", ""}) {
    if (::mount("overlay", target.c_str(), "overlay", 0, (folders + more).c_str()) == 0) {
      return true;
    }
  }
  return false;
}

void BindOntoItself(const std::string& folder) {
  if (::mount(folder.c_str(), folder.c_str(), nullptr, MS_BIND | MS_REC, nullptr) != 0) {
    throw Refused(folder, errno);
  }
}

void MakeMounts(const RootFolder& root, const std::vector<PlannedMount>& mounts) {
  for (const PlannedMount& mount : mounts) {
    errno = 0;
    if (Make(root, mount) || mount.need == MountNeed::kOptional) continue;
    throw Refused(fmt::format("{} at /{} of the image", mount.source, mount.target), errno);
  }
}

void EnterRoot(const RootFolder& root) {
  // The old root comes to lie over the new one, and is taken off it again (pivot_root(2)).
  if (::chdir(root.path().c_str()) != 0) throw layers::FileError("enter", root.path(), errno);
  if (::syscall(SYS_pivot_root, ".", ".") != 0 || ::umount2(".", MNT_DETACH) != 0 ||
      ::chdir("/") != 0) {
    throw specs::Error("cannot make the image's files the root").Found(std::strerror(errno));
  }
}

}  // namespace imgbuild::builder
