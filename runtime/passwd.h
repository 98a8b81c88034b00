// Entries of passwd(5), which static programs cannot ask NSS for.
#pragma once

#include <cstdint>

#include <sys/types.h>

#include "runtime/text.h"

namespace imgbuild::runtime {

struct PasswdEntry {
  FixedText<64> name;
  uid_t uid = 0;
  gid_t gid = 0;
  FixedText<512> home;
};

// The first entry of `uid`, or of `name`; false where there is none.
bool FindUser(const char* file, uid_t uid, PasswdEntry& entry);
bool FindUser(const char* file, const char* name, PasswdEntry& entry);

// Decimal digits alone, of at most 32 bits.
bool ParseId(const char* text, std::uint32_t& id);

}  // namespace imgbuild::runtime
