// Users and groups (passwd(5), group(5), shadow(5), gshadow(5)): base-passwd's, those that packages
// add when they are configured, the image's own.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "builder/state/package_view.h"
#include "builder/state/state.h"
#include "builder/state/state_files.h"

namespace imgbuild::builder {

struct SystemUser {
  std::string name;
  std::string comment;
  std::string home = "/nonexistent";
  std::string shell = "/usr/sbin/nologin";
  std::string group;  // "": nogroup; else a group that is made where it lacks
};

class Accounts {
 public:
  // Reads base-passwd's files. Throws Error where they are malformed.
  explicit Accounts(const PackageView& view);

  // Does nothing where the name is known. Ids count down from 999, in the order of the calls.
  void AddGroup(std::string_view name);
  void AddUser(const SystemUser& user);
  // The image's own: its home and workdir too.
  void AddImageUser(const StateInput& input, StateFiles& files);

  // etc/passwd and etc/group; with the passwd package etc/shadow and etc/gshadow too.
  void Write(const PackageView& view, StateFiles& files) const;

 private:
  struct Group {
    std::string name;
    std::uint32_t gid = 0;
    std::string members;
  };
  struct User {
    std::string name;
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
    std::string comment;
    std::string home;
    std::string shell;
    bool locked = true;  // "!" in shadow, as for those that packages add
  };

  std::uint32_t FreeId() const;
  const Group* FindGroup(std::string_view name) const;

  std::vector<Group> groups_;
  std::vector<User> users_;
};

}  // namespace imgbuild::builder
