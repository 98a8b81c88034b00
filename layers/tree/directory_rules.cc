#include "layers/tree/directory_rules.h"

#include <algorithm>
#include <array>

#include "layers/tree/file_tree.h"

namespace imgbuild::layers {
namespace {

struct Rule {
  std::string_view path;
  std::uint32_t mode;
  std::uint32_t gid;
};

constexpr std::uint32_t kMail = 8;
constexpr std::uint32_t kStaff = 50;

// What base-files of bookworm and trixie makes, archive and postinst together. /usr/local is
// root's there unless /etc/staff-group-for-usr-local exists, which no image of ours has.
constexpr auto kRules = std::to_array<Rule>({
    {"boot", 0755, 0},
    {"dev", 0755, 0},
    {"etc", 0755, 0},
    {"etc/opt", 0755, 0},
    {"home", 0755, 0},
    {"media", 0755, 0},
    {"mnt", 0755, 0},
    {"opt", 0755, 0},
    {"proc", 0755, 0},
    {"root", 0700, 0},
    {"run", 0755, 0},
    {"run/lock", 01777, 0},
    {"srv", 0755, 0},
    {"sys", 0755, 0},
    {"tmp", 01777, 0},
    {"usr", 0755, 0},
    {"usr/bin", 0755, 0},
    {"usr/games", 0755, 0},
    {"usr/include", 0755, 0},
    {"usr/lib", 0755, 0},
    {"usr/lib64", 0755, 0},
    {"usr/local", 0755, 0},
    {"usr/local/bin", 0755, 0},
    {"usr/local/etc", 0755, 0},
    {"usr/local/games", 0755, 0},
    {"usr/local/include", 0755, 0},
    {"usr/local/lib", 0755, 0},
    {"usr/local/sbin", 0755, 0},
    {"usr/local/share", 0755, 0},
    {"usr/local/share/man", 0755, 0},
    {"usr/local/src", 0755, 0},
    {"usr/sbin", 0755, 0},
    {"usr/share", 0755, 0},
    {"usr/src", 0755, 0},
    {"var", 0755, 0},
    {"var/backups", 0755, 0},
    {"var/cache", 0755, 0},
    {"var/lib", 0755, 0},
    {"var/local", 02775, kStaff},
    {"var/log", 0755, 0},
    {"var/mail", 02775, kMail},
    {"var/opt", 0755, 0},
    {"var/spool", 0755, 0},
    {"var/tmp", 01777, 0},
});
static_assert(std::ranges::is_sorted(kRules, {}, &Rule::path));

}  // namespace

std::optional<Node> DirectoryRule(std::string_view path) {
  auto rule = std::ranges::lower_bound(kRules, path, {}, &Rule::path);
  if (rule == kRules.end() || rule->path != path) return std::nullopt;
  Node node;
  node.type = NodeType::kDirectory;
  node.mode = rule->mode;
  node.gid = rule->gid;
  node.mtime = kFixedTime;
  return node;
}

}  // namespace imgbuild::layers
