#include "builder/rootless/mount_plan.h"

#include <algorithm>

#include <sys/mount.h>

#include "layers/tree/path.h"
#include "specs/base/error.h"

namespace imgbuild::builder {
namespace {

constexpr unsigned long kData = MS_NOSUID | MS_NODEV;

void AddDevices(std::vector<PlannedMount>& mounts) {
  mounts.push_back({.kind = MountKind::kNew,
                    .source = "tmpfs",
                    .target = "dev",
                    .options = "mode=755,size=64k",
                    .flags = MS_NOSUID | MS_NOEXEC});
  for (const char* name : {"null", "zero", "full", "random", "urandom", "tty"}) {
    mounts.push_back({.kind = MountKind::kBindFile,
                      .source = std::string("/dev/") + name,
                      .target = std::string("dev/") + name,
                      .options = {}});
  }
  mounts.push_back({.kind = MountKind::kNew,
                    .source = "devpts",
                    .target = "dev/pts",
                    .options = "newinstance,ptmxmode=0666,mode=0620",
                    .flags = MS_NOSUID | MS_NOEXEC,
                    .need = MountNeed::kRequired,
                    .instead = "/dev/pts"});
  mounts.push_back({.kind = MountKind::kNew,
                    .source = "tmpfs",
                    .target = "dev/shm",
                    .options = "mode=1777",
                    .flags = kData | MS_NOEXEC});
  const std::pair<const char*, const char*> links[] = {{"ptmx", "pts/ptmx"},
                                                       {"fd", "/proc/self/fd"},
                                                       {"stdin", "/proc/self/fd/0"},
                                                       {"stdout", "/proc/self/fd/1"},
                                                       {"stderr", "/proc/self/fd/2"}};
  for (const auto& [name, leads] : links) {
    mounts.push_back({.kind = MountKind::kLink,
                      .source = leads,
                      .target = std::string("dev/") + name,
                      .options = {}});
  }
}

}  // namespace

std::vector<PlannedMount> MountsFor(std::vector<SharedFolder> folders) {
  std::vector<PlannedMount> mounts;
  mounts.push_back({.kind = MountKind::kNew,
                    .source = "proc",
                    .target = "proc",
                    .options = {},
                    .flags = kData | MS_NOEXEC,
                    .need = MountNeed::kRequired,
                    .instead = "/proc"});
  AddDevices(mounts);
  mounts.push_back({.kind = MountKind::kBindReadOnly,
                    .source = "/sys",
                    .target = "sys",
                    .options = {},
                    .need = MountNeed::kOptional});
  mounts.push_back({.kind = MountKind::kNew,
                    .source = "tmpfs",
                    .target = "tmp",
                    .options = "mode=1777",
                    .flags = kData});
  for (const char* name : {"etc/resolv.conf", "etc/hosts"}) {
    mounts.push_back({.kind = MountKind::kBindFile,
                      .source = std::string("/") + name,
                      .target = name,
                      .options = {},
                      .need = MountNeed::kOptional});
  }
  // What lies below another one comes after it.
  std::ranges::stable_sort(folders, {}, &SharedFolder::inside);
  for (const SharedFolder& folder : folders) {
    const auto inside = layers::CanonicalPath(folder.inside);
    if (!folder.inside.starts_with('/') || !inside || inside->empty()) {
      throw specs::Error("a folder of the host cannot be there in the image")
          .Found(folder.inside)
          .Expected("an absolute path other than /");
    }
    mounts.push_back({.kind = MountKind::kBindFolder,
                      .source = folder.host.string(),
                      .target = *inside,
                      .options = {}});
  }
  return mounts;
}

}  // namespace imgbuild::builder
