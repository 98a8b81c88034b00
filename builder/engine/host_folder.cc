#include "builder/engine/host_folder.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string_view>
#include <vector>

#include "specs/base/error.h"

namespace imgbuild::builder {
namespace {

namespace fs = std::filesystem;

// What the system lives from, with all that is below.
constexpr std::string_view kSystem[] = {"bin",    "boot", "dev", "etc",  "lib", "lib32", "lib64",
                                        "libx32", "proc", "run", "sbin", "sys", "usr",   "var"};

// Of /var, where people work all the same; ostree has homes, /opt, /srv and /mnt there.
constexpr std::string_view kWorkInVar[] = {"home", "mnt", "opt", "roothome", "srv", "tmp", "www"};

template <typename Names>
bool IsOneOf(std::string_view name, const Names& names) {
  return std::ranges::find(names, name) != std::end(names);
}

// "/a/b" for "/a/x/../b/".
fs::path Normal(const fs::path& folder) {
  fs::path normal = folder.lexically_normal();
  return normal.has_filename() ? normal : normal.parent_path();
}

// Whether `folder` is `inner` or leads to it.
bool IsAtOrAbove(const fs::path& folder, const fs::path& inner) {
  const auto [end, rest] = std::mismatch(folder.begin(), folder.end(), inner.begin(), inner.end());
  return end == folder.end();
}

// Whether `folder` is in a hidden folder of `home`, such as ~/.ssh/, or is one.
bool IsHiddenIn(const fs::path& folder, const fs::path& home) {
  const auto [end, rest] = std::mismatch(home.begin(), home.end(), folder.begin(), folder.end());
  return end == home.end() && rest != folder.end() && rest->string().starts_with('.');
}

// "home", "ann" for "/home/ann" and for "/var/home/ann".
std::vector<std::string> NamesIn(const fs::path& folder) {
  std::vector<std::string> names;
  for (const fs::path& name : folder.relative_path()) names.push_back(name.string());
  if (names.size() > 1 && names[0] == "var" && IsOneOf(names[1], kWorkInVar)) {
    names.erase(names.begin());
  }
  return names;
}

// One of the system's, a home, or what is hidden in a home.
bool BelongsToOthers(const std::vector<std::string>& names) {
  if (names.size() < 2 || IsOneOf(names[0], kSystem)) return true;
  const bool of_root = names[0] == "root" || names[0] == "roothome";
  if (!of_root && names[0] != "home") return false;
  const std::size_t home = of_root ? 1 : 2;  // names that lead to it
  return names.size() == home || names[home].starts_with('.');
}

}  // namespace

FolderLabel LabelFor(const fs::path& folder, const std::string& home,
                     const fs::path& enforce_file) {
  char in_force = '0';
  std::ifstream(enforce_file).get(in_force);
  if (in_force != '1') return FolderLabel::kNone;
  const fs::path place = Normal(folder);
  const fs::path own = Normal(home);
  const bool of_home = !home.empty() && (IsAtOrAbove(place, own) || IsHiddenIn(place, own));
  const bool of_others = of_home || BelongsToOthers(NamesIn(place));
  return of_others ? FolderLabel::kDisable : FolderLabel::kRelabel;
}

void RequireMountable(const std::string& folder) {
  if (folder.find(':') == std::string::npos) return;
  throw specs::Error("the current folder cannot be given to a container: its path has a colon")
      .Found(folder)
      .Hint("rename the folder, or run imgbuild in another one");
}

}  // namespace imgbuild::builder
