// A user other than the supervisor's own, whom a service runs as.
#pragma once

#include <sys/types.h>

#include "runtime/passwd.h"

namespace imgbuild::runtime {

inline constexpr char kPasswdFile[] = "/etc/passwd";

struct Identity {
  uid_t uid = 0;
  gid_t gid = 0;
  FixedText<64> name;
  FixedText<512> home;
};

// Of "web", "1000" or "1000:0". As the OCI image specification has it, the group is the one that
// the passwd file gives the user, else 0. False for a name that is not there.
bool FindIdentity(const char* passwd_file, const char* user, Identity& identity);

// Sets USER, LOGNAME and HOME.
void SayInEnvironment(const Identity& identity);

// Becomes it for good, with its group alone. False, with errno, where that is not allowed.
bool Become(const Identity& identity);

}  // namespace imgbuild::runtime
