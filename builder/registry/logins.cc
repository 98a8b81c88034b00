#include "builder/registry/logins.h"

#include <optional>

#include <fmt/format.h>

#include "builder/registry/auth_file.h"
#include "builder/registry/credential_helper.h"
#include "layers/io/atomic_file.h"
#include "layers/io/file.h"
#include "specs/base/error.h"

namespace imgbuild::builder {
namespace {

namespace fs = std::filesystem;

std::string TextOf(const fs::path& file) {
  std::error_code ignored;
  return fs::exists(file, ignored) ? layers::ReadFile(file, kLargestAuthFile) : "";
}

// "registry.example/team" is looked for as that repository.
std::string OriginOf(const CredentialFinder& finder, const std::string& registry) {
  const std::size_t slash = registry.find('/');
  try {
    return finder
        .Find(registry.substr(0, slash),
              slash == std::string::npos ? "" : registry.substr(slash + 1))
        .origin;
  } catch (const specs::Error& error) {
    return error.message();
  }
}

AuthFile FileOf(const CredentialFinder& finder) {
  const fs::path file = finder.FileForLogin();
  return AuthFile::Parse(TextOf(file), file.string());
}

// The helper that is to keep them, and by which name; nullopt: the file is to.
std::optional<AuthEntry> KeeperOf(const CredentialFinder& finder, const std::string& registry) {
  const bool whole = registry.find('/') == std::string::npos;
  for (const std::string& helper : finder.helpers()) {
    if (helper == kAuthFiles) break;
    // Others are asked for registries as a whole (containers-registries.conf(5)).
    if (whole) return AuthEntry{.credentials = {}, .helper = helper, .server = registry};
  }
  return FileOf(finder).HelperFor(registry);
}

// Whether there was something to remove.
bool RemoveFromFile(const fs::path& file, const std::string& registry) {
  const auto text = AuthFile::Without(TextOf(file), file.string(), registry);
  if (text) layers::WriteFileAtomically(file, *text, 0600);
  return text.has_value();
}

}  // namespace

std::string KeepLogin(const CredentialFinder& finder, const std::string& registry,
                      const Credentials& credentials) {
  const fs::path file = finder.FileForLogin();
  std::optional<AuthEntry> keeper = KeeperOf(finder, registry);
  if (keeper) {
    // Credentials in the file would be found first, and are no secret there.
    const bool stale = FileOf(finder).HasOwn(registry);
    if (stale) keeper->server = registry;  // its name in the file goes with them
    KeepInCredentialHelper(keeper->helper, keeper->server, credentials);
    if (stale) RemoveFromFile(file, registry);
    return CredentialProgram(keeper->helper);
  }
  std::error_code ignored;
  fs::create_directories(file.parent_path(), ignored);
  layers::WriteFileAtomically(
      file, AuthFile::With(TextOf(file), file.string(), registry, credentials), 0600);
  return file.string();
}

ForgottenLogin ForgetLogin(const CredentialFinder& finder, const std::string& registry) {
  ForgottenLogin logout{.from = {}, .file = finder.FileForLogin(), .left = {}};
  const std::optional<AuthEntry> keeper = KeeperOf(finder, registry);
  const bool in_file = RemoveFromFile(logout.file, registry);  // whatever becomes of the helper
  if (keeper && AskCredentialHelper(keeper->helper, keeper->server)) {
    EraseInCredentialHelper(keeper->helper, keeper->server);
    logout.from.push_back(CredentialProgram(keeper->helper));
  }
  if (in_file) logout.from.push_back(logout.file.string());
  logout.left = OriginOf(finder, registry);
  return logout;
}

std::string RenderLogout(const ForgottenLogin& logout, const std::string& registry) {
  std::string text =
      logout.from.empty()
          ? fmt::format("{} holds no login for {}", logout.file.string(), registry)
          : fmt::format("logged out; removed from {}", fmt::join(logout.from, " and "));
  if (logout.left.empty()) return text;
  return text + fmt::format(
                    "\nthere are others, which are still used: {}\n"
                    "  hint: remove them by the program that put them there, such as docker logout",
                    logout.left);
}

}  // namespace imgbuild::builder
