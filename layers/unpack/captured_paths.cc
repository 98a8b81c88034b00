#include "layers/unpack/captured_paths.h"

#include <array>

namespace imgbuild::layers {
namespace {

enum class Reach { kFile, kFolder, kTree };  // this path, what is in it, all below it

struct Rule {
  Reach reach;
  std::string_view path;
  std::string_view suffix;  // "" takes all
};

// Sizes above these are no configuration: a file that large stays in the frame alone.
constexpr std::uint64_t kMaxCapturedFile = 256u << 10;

constexpr std::array kRules = {
    Rule{Reach::kTree, "etc", ""},
    Rule{Reach::kTree, "usr/share/ca-certificates", ".crt"},
    Rule{Reach::kFolder, "usr/share/base-passwd", ""},
    Rule{Reach::kFolder, "usr/share/base-files", ""},
    Rule{Reach::kFolder, "usr/share/debianutils", ""},
    Rule{Reach::kTree, "usr/share/debianutils/shells.d", ""},
    Rule{Reach::kFolder, "usr/share/libc-bin", ""},
    Rule{Reach::kFolder, "usr/share/readline", ""},
    Rule{Reach::kFolder, "usr/share/passwd", ""},
    Rule{Reach::kFolder, "usr/share/pam", ""},
    Rule{Reach::kFolder, "usr/share/pam-configs", ""},
    Rule{Reach::kTree, "usr/share/fontconfig", ""},
    Rule{Reach::kFolder, "usr/share/python3", ""},
    Rule{Reach::kTree, "usr/share/binfmts", ""},
    Rule{Reach::kTree, "usr/lib/sysusers.d", ".conf"},
    Rule{Reach::kTree, "usr/lib/tmpfiles.d", ".conf"},
    Rule{Reach::kTree, "usr/lib/locale", "SUPPORTED"},
    Rule{Reach::kFolder, "usr/share/i18n", "SUPPORTED"},
    Rule{Reach::kFolder, "usr/share/netbase", ""},
    Rule{Reach::kTree, "usr/share/R", "Renviron"},
    Rule{Reach::kFile, "usr/lib/R/etc/Renviron", ""},
    Rule{Reach::kFile, "usr/lib/R/etc/Renviron.ucf", ""},
    Rule{Reach::kFile, "usr/lib/os-release", ""},
};

bool Matches(const Rule& rule, std::string_view path) {
  if (rule.reach == Reach::kFile) return path == rule.path;
  if (path.size() <= rule.path.size() || !path.starts_with(rule.path)) return false;
  if (path[rule.path.size()] != '/' || !path.ends_with(rule.suffix)) return false;
  return rule.reach == Reach::kTree ||
         path.find('/', rule.path.size() + 1) == std::string_view::npos;
}

}  // namespace

bool CapturedPath(std::string_view path, std::uint64_t size) {
  if (size > kMaxCapturedFile) return false;
  for (const Rule& rule : kRules) {
    if (Matches(rule, path)) return true;
  }
  return false;
}

}  // namespace imgbuild::layers
