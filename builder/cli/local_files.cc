#include "builder/cli/local_files.h"

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include <fmt/core.h>
#include <unistd.h>

#include "specs/base/problems.h"

namespace imgbuild::builder {

namespace fs = std::filesystem;

std::string LocalProblem(const std::string& path, specs::LocalKind kind) {
  const bool takes_folder = kind == specs::LocalKind::kFileOrFolder;
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (status.type() == fs::file_type::not_found) {
    return fmt::format("there is no {} {}", takes_folder ? "file or folder" : "file", path);
  }
  const bool is_folder = fs::is_directory(status);
  if (is_folder && !takes_folder) return fmt::format("{} is a folder, expected a file", path);
  if (!error && access(path.c_str(), is_folder ? R_OK | X_OK : R_OK) != 0) {
    error.assign(errno, std::generic_category());
  }
  return error ? fmt::format("cannot read {}: {}", path, error.message()) : "";
}

void RequireKeyring(const specs::LoadedSpec& loaded) {
  const specs::Spec& spec = loaded.spec;
  if (!spec.system.keyring) return;
  // On a base image whose Python no suite has, Debian is not asked.
  const bool asks_debian =
      !spec.system.image || specs::SuiteHasPython(spec.system.suite, spec.python.version);
  if (!asks_debian) return;
  specs::Problems problems;
  std::string problem = LocalProblem(*spec.system.keyring, specs::LocalKind::kFile);
  if (!problem.empty()) problems.Add(loaded.sources.Where("system.keyring"), std::move(problem));
  problems.ThrowIfAny();
}

}  // namespace imgbuild::builder
