#include "tests/runtime/process_limit.h"

#include <chrono>
#include <fstream>
#include <thread>

#include <linux/capability.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace imgbuild::runtime {
namespace {

constexpr uid_t kUser = 65502;
constexpr rlim_t kMany = 4096;

// Whether this process may limit those of others (prlimit(2)), which root may not in most
// containers.
bool MayLimitOthers() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};
  return syscall(SYS_capget, &header, data) == 0 &&
         (data[CAP_TO_INDEX(CAP_SYS_RESOURCE)].effective & CAP_TO_MASK(CAP_SYS_RESOURCE)) != 0;
}

}  // namespace

ProcessLimit::ProcessLimit() {
  for (const char* root : {"/sys/fs/cgroup/pids", "/sys/fs/cgroup"}) {
    std::string folder = std::string(root) + "/imgbuild-test-XXXXXX";
    if (mkdtemp(folder.data()) == nullptr) continue;
    if (access((folder + "/pids.max").c_str(), W_OK) == 0) {
      setup_.cgroup = folder;
      usable_ = true;
      return;
    }
    rmdir(folder.c_str());
  }
  if (geteuid() != 0 || !MayLimitOthers()) return;
  setup_.uid = kUser;
  setup_.most = kMany;
  usable_ = true;
}

ProcessLimit::~ProcessLimit() {
  // Once the last process has left it.
  for (int i = 0; !setup_.cgroup.empty() && i < 500 && rmdir(setup_.cgroup.c_str()) != 0; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

void ProcessLimit::Set(const InitProcess& init, const std::string& most, rlim_t soft) const {
  if (!setup_.cgroup.empty()) {
    std::ofstream(setup_.cgroup + "/pids.max") << most;
    return;
  }
  const rlimit limit{soft, kMany};
  prlimit(init.pid(), RLIMIT_NPROC, &limit, nullptr);
}

void ProcessLimit::Refuse(const InitProcess& init) const { Set(init, "0", 0); }

void ProcessLimit::Lift(const InitProcess& init) const { Set(init, "max", kMany); }

}  // namespace imgbuild::runtime
