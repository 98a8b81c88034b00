#include "runtime/user_environment.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/passwd.h"

namespace imgbuild::runtime {
namespace {

using Path = FixedText<512>;

// The home of the image's own user; its group, which foreign uids share, may write there.
constexpr char kImageHome[] = "/home/user";

// What a build made for matplotlib, which looks for it where it may write.
constexpr char kImageFonts[] = "/home/user/.cache/matplotlib";

bool IsWritableDirectory(const char* path) {
  struct stat status {};
  return path != nullptr && *path == '/' && stat(path, &status) == 0 && S_ISDIR(status.st_mode) &&
         access(path, W_OK | X_OK) == 0;
}

// A directory that is ours alone: made now, or made before by the same uid.
bool MakePrivate(const char* path) {
  if (mkdir(path, 0700) == 0) return true;
  struct stat status {};
  return errno == EEXIST && lstat(path, &status) == 0 && S_ISDIR(status.st_mode) &&
         status.st_uid == geteuid() && (status.st_mode & 0077) == 0;
}

void SetBelow(const char* variable, const char* home, const char* name) {
  Path path;
  path.Add(home).Add("/").Add(name);
  if (MakePrivate(path.data())) setenv(variable, path.data(), 0);
}

// Links to all that lies in the directory `from`.
void LinkAll(const char* from, const char* directory) {
  DIR* entries = opendir(from);
  if (entries == nullptr) return;
  while (const dirent* entry = readdir(entries)) {
    if (entry->d_name[0] == '.') continue;
    Path target, link;
    target.Add(from).Add("/").Add(entry->d_name);
    link.Add(directory).Add("/").Add(entry->d_name);
    [[maybe_unused]] const int made = symlink(target.data(), link.data());  // or was there
  }
  closedir(entries);
}

}  // namespace

void SetUserEnvironment(const char* passwd_file) {
  const uid_t uid = geteuid();
  PasswdEntry entry;
  const bool found = FindUser(passwd_file, uid, entry);
  std::uint32_t number = 0;
  const bool made_up = found && ParseId(entry.name.data(), number);
  const bool known = found && !made_up;
  const char* name = known ? entry.name.data() : "user";
  setenv("USER", name, 1);
  setenv("LOGNAME", name, 1);

  const char* given = getenv("HOME");
  // Engines say "/" when they know no better.
  const bool told = given != nullptr && strcmp(given, "/") != 0 &&
                    !(made_up && strcmp(given, entry.home.data()) == 0);
  if (told && IsWritableDirectory(given)) return;
  const char* own = known && strcmp(entry.home.data(), "/") != 0 ? entry.home.data() : kImageHome;
  if (IsWritableDirectory(own)) {
    setenv("HOME", own, 1);
    return;
  }
  Path home;
  home.Add("/tmp/home-").Add(uid);
  if (!MakePrivate(home.data())) return;
  setenv("HOME", home.data(), 1);
  SetBelow("JUPYTER_RUNTIME_DIR", home.data(), "jupyter-runtime");
  SetBelow("IPYTHONDIR", home.data(), "ipython");
  SetBelow("MPLCONFIGDIR", home.data(), "matplotlib");
  LinkAll(kImageFonts, home.Add("/matplotlib").data());
}

}  // namespace imgbuild::runtime
