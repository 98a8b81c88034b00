#include "builder/registry/logins.h"

#include <fmt/format.h>

#include "builder/registry/auth_file.h"
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

}  // namespace

fs::path KeepLogin(const CredentialFinder& finder, const std::string& registry,
                   const Credentials& credentials) {
  fs::path file = finder.FileForLogin();
  std::error_code ignored;
  fs::create_directories(file.parent_path(), ignored);
  layers::WriteFileAtomically(
      file, AuthFile::With(TextOf(file), file.string(), registry, credentials), 0600);
  return file;
}

ForgottenLogin ForgetLogin(const CredentialFinder& finder, const std::string& registry) {
  ForgottenLogin logout{.file = finder.FileForLogin(), .was_there = false, .left = {}};
  if (const auto text = AuthFile::Without(TextOf(logout.file), logout.file.string(), registry)) {
    layers::WriteFileAtomically(logout.file, *text, 0600);
    logout.was_there = true;
  }
  logout.left = OriginOf(finder, registry);
  return logout;
}

std::string RenderLogout(const ForgottenLogin& logout, const std::string& registry) {
  std::string text = logout.was_there
                         ? fmt::format("logged out; removed from {}", logout.file.string())
                         : fmt::format("{} holds no login for {}", logout.file.string(), registry);
  if (logout.left.empty()) return text;
  return text + fmt::format(
                    "\nthere are others, which are still used: {}\n"
                    "  hint: remove them by the program that put them there, such as docker logout",
                    logout.left);
}

}  // namespace imgbuild::builder
