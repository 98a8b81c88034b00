#include "runtime/identity.h"

#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

namespace imgbuild::runtime {

bool FindIdentity(const char* passwd_file, const char* user, Identity& identity) {
  FixedText<64> name;
  const char* group = strchr(user, ':');
  name.Add(user, group != nullptr ? static_cast<std::size_t>(group - user) : strlen(user));
  if (name.cut()) return false;
  PasswdEntry entry;
  std::uint32_t uid = 0;
  const bool number = ParseId(name.data(), uid);
  const bool found = number ? FindUser(passwd_file, static_cast<uid_t>(uid), entry)
                            : FindUser(passwd_file, name.data(), entry);
  if (!found && !number) return false;
  identity = Identity();
  identity.uid = number ? uid : entry.uid;
  identity.gid = found ? entry.gid : 0;
  identity.name.Add(found ? entry.name.data() : "user");
  identity.home.Add(found ? entry.home.data() : "/");
  std::uint32_t gid = 0;
  if (group == nullptr) return true;
  if (!ParseId(group + 1, gid)) return false;
  identity.gid = gid;
  return true;
}

void SayInEnvironment(const Identity& identity) {
  setenv("USER", identity.name.data(), 1);
  setenv("LOGNAME", identity.name.data(), 1);
  setenv("HOME", identity.home.data(), 1);
}

bool Become(const Identity& identity) {
  if (geteuid() == identity.uid && getegid() == identity.gid) return true;
  const gid_t groups[] = {identity.gid};
  return setgroups(1, groups) == 0 && setresgid(identity.gid, identity.gid, identity.gid) == 0 &&
         setresuid(identity.uid, identity.uid, identity.uid) == 0;
}

}  // namespace imgbuild::runtime
