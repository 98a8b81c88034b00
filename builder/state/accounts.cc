#include "builder/state/accounts.h"

#include <algorithm>

#include <fmt/format.h>

#include "layers/tree/path.h"
#include "specs/base/error.h"
#include "specs/base/text.h"

namespace imgbuild::builder {
namespace {

constexpr std::uint32_t kShadow = 42;
constexpr std::uint32_t kNoGroup = 65534;
constexpr std::uint32_t kFirstDynamic = 100;  // adduser.conf: FIRST_SYSTEM_UID
constexpr std::uint32_t kLastDynamic = 999;

std::vector<std::string_view> Fields(std::string_view line, std::size_t count,
                                     std::string_view path) {
  std::vector<std::string_view> fields = specs::Split(line, ':');
  if (fields.size() != count) {
    throw specs::Error(fmt::format("/{} has a line that is no account", path))
        .Found(std::string(line))
        .Expected(fmt::format("{} fields between colons", count));
  }
  return fields;
}

std::uint32_t Id(std::string_view text, std::string_view path) {
  std::optional<std::uint64_t> id = specs::ParseUnsigned(text);
  if (!id || *id > 0xFFFFFFFEu) {
    throw specs::Error(fmt::format("/{} has the id \"{}\"", path, text)).Expected("a number");
  }
  return static_cast<std::uint32_t>(*id);
}

}  // namespace

Accounts::Accounts(const PackageView& view) {
  if (!view.HasPackage("base-passwd")) {
    groups_.push_back({"root", 0, ""});
    users_.push_back({"root", 0, 0, "root", "/root", "/bin/bash", false});
    return;
  }
  constexpr std::string_view kPasswd = "usr/share/base-passwd/passwd.master";
  constexpr std::string_view kGroup = "usr/share/base-passwd/group.master";
  for (std::string_view line : specs::Split(view.Need("base-passwd", kPasswd), '\n')) {
    if (line.empty()) continue;
    std::vector<std::string_view> f = Fields(line, 7, kPasswd);
    users_.push_back({std::string(f[0]), Id(f[2], kPasswd), Id(f[3], kPasswd), std::string(f[4]),
                      std::string(f[5]), std::string(f[6]), false});
  }
  for (std::string_view line : specs::Split(view.Need("base-passwd", kGroup), '\n')) {
    if (line.empty()) continue;
    std::vector<std::string_view> f = Fields(line, 4, kGroup);
    groups_.push_back({std::string(f[0]), Id(f[2], kGroup), std::string(f[3])});
  }
}

const Accounts::Group* Accounts::FindGroup(std::string_view name) const {
  auto found = std::ranges::find(groups_, name, &Group::name);
  return found == groups_.end() ? nullptr : &*found;
}

// One number for a user and the group of its name, as systemd-sysusers gives them.
std::uint32_t Accounts::FreeId() const {
  for (std::uint32_t id = kLastDynamic; id >= kFirstDynamic; --id) {
    if (std::ranges::find(groups_, id, &Group::gid) != groups_.end()) continue;
    if (std::ranges::find(users_, id, &User::uid) == users_.end()) return id;
  }
  throw specs::Error("the packages add more users and groups than there are system ids");
}

void Accounts::AddGroup(std::string_view name) {
  if (FindGroup(name) == nullptr) groups_.push_back({std::string(name), FreeId(), ""});
}

void Accounts::AddUser(const SystemUser& user) {
  if (std::ranges::find(users_, user.name, &User::name) != users_.end()) return;
  const bool own_group = user.group == user.name && FindGroup(user.group) == nullptr;
  const std::uint32_t uid = FreeId();
  if (own_group) {
    groups_.push_back({user.group, uid, ""});
  } else if (!user.group.empty()) {
    AddGroup(user.group);
  }
  const std::uint32_t gid = user.group.empty() ? kNoGroup : FindGroup(user.group)->gid;
  users_.push_back({user.name, uid, gid, user.comment, user.home, user.shell, true});
}

void Accounts::AddImageUser(const StateInput& input, StateFiles& files) {
  const std::string shell =
      input.profile == specs::Profile::kSlim ? "/bin/bash" : "/usr/sbin/nologin";
  users_.push_back({std::string(kUserName), kUserId, 0, "", std::string(kUserHome), shell, true});
  files.AddDirectory(std::string_view(kUserHome).substr(1), 0775, kUserId, 0);
  const std::optional<std::string> canonical = layers::CanonicalPath(input.workdir);
  if (!canonical || !input.workdir.starts_with('/')) {
    throw specs::Error(specs::ErrorKind::kUsage,
                       fmt::format("image.workdir is \"{}\"", input.workdir))
        .Expected("an absolute path without \"..\"");
  }
  const std::string& workdir = *canonical;
  if (!workdir.empty() && workdir != std::string_view(kUserHome).substr(1)) {
    files.AddDirectory(workdir, 0775, kUserId, 0);
  }
}

void Accounts::Write(const PackageView& view, StateFiles& files) const {
  const bool shadowed = view.HasPackage("passwd");
  const std::string_view password = shadowed ? "x" : "*";
  std::string passwd, group, shadow, gshadow;
  for (const User& user : users_) {
    passwd += fmt::format("{}:{}:{}:{}:{}:{}:{}\n", user.name, password, user.uid, user.gid,
                          user.comment, user.home, user.shell);
    // 3652 is 1980-01-01 in days, the time of all that is made here.
    shadow += fmt::format("{}:{}:3652:0:99999:7:::\n", user.name, user.locked ? "!" : "*");
  }
  for (const Group& entry : groups_) {
    group += fmt::format("{}:{}:{}:{}\n", entry.name, password, entry.gid, entry.members);
    gshadow += fmt::format("{}:{}::{}\n", entry.name, entry.gid < kFirstDynamic ? "*" : "!",
                           entry.members);
  }
  files.AddFile("etc/passwd", std::move(passwd));
  files.AddFile("etc/group", std::move(group));
  if (!shadowed) return;
  files.AddFile("etc/shadow", std::move(shadow), 0640, 0, kShadow);
  files.AddFile("etc/gshadow", std::move(gshadow), 0640, 0, kShadow);
}

}  // namespace imgbuild::builder
