#include "builder/assemble/image_files.h"

#include <algorithm>

#include <fmt/core.h>

#include "builder/assemble/embedded.h"
#include "builder/assemble/service_table_writer.h"
#include "builder/state/state.h"
#include "layers/tree/path.h"
#include "specs/env/canonical.h"
#include "specs/env/preset.h"

namespace imgbuild::builder {
namespace {

using layers::ContentTree;

std::string RelativePath(std::string_view absolute) { return std::string(absolute.substr(1)); }

std::string RenderPackages(const specs::LockedPlatform& locked) {
  std::string text;
  for (const specs::LockedPackage& package : locked.packages) {
    text += fmt::format("{} {} {} {}\n", package.name, package.version,
                        package.kind == specs::PackageKind::kDeb ? "deb" : "wheel", package.source);
  }
  return text;
}

// As git-config writes a value with any character in it.
std::string GitQuoted(std::string_view value) {
  std::string quoted = "\"";
  for (char letter : value) {
    if (letter == '"' || letter == '\\') quoted += '\\';
    quoted += letter;
  }
  return quoted + '"';
}

void AddVenv(const ImageFilesInput& input, ContentTree& files) {
  const std::string root = RelativePath(kVenvPath);
  const std::string& version = input.spec.python.version;
  auto directory = [&](const std::string& path) {
    files[root + path] = layers::MakeDirectory(0775, kUserId, kUserGroup);
  };
  auto link = [&](const std::string& path, std::string target) {
    layers::ContentFile file = layers::MakeSymlink(std::move(target));
    file.node.uid = kUserId;
    file.node.gid = kUserGroup;
    files[root + path] = std::move(file);
  };
  directory("");
  directory("/bin");
  directory("/include");
  directory("/lib");
  directory("/lib/python" + version);
  directory("/lib/python" + version + "/site-packages");
  link("/lib64", "lib");
  link("/bin/python3", input.python);
  link("/bin/python", "python3");
  link("/bin/python" + version, "python3");
  files[root + "/pyvenv.cfg"] = layers::MakeFile(
      fmt::format("home = {0}\ninclude-system-site-packages = false\nversion = {1}\n"
                  "executable = {0}/python{2}\ncommand = {3} -m venv {4}\n",
                  layers::ParentPath(input.python), input.lock.python_version, version,
                  input.python, kVenvPath),
      0664, kUserId, kUserGroup);
}

void AddPage(const ImageFilesInput& input, ContentTree& files) {
  const auto& services = input.spec.services;
  if (std::none_of(services.begin(), services.end(), specs::ServesBuiltInPage)) return;
  for (const EmbeddedFile& file : PageFiles()) {
    files[fmt::format("{}/{}", RelativePath(specs::kPageDirectory), file.name)] =
        layers::MakeFile(std::string(file.content));
  }
}

// What presets bring along. In the virtual environment everything is the user's.
void AddPresetFiles(const ImageFilesInput& input, ContentTree& files) {
  for (const specs::Service& service : input.spec.services) {
    const specs::ServicePreset* preset = specs::FindPreset(service.preset);
    if (preset == nullptr) continue;
    for (const auto& [path, text] : preset->files) {
      const std::string name(RelativePath(path));
      if (!path.starts_with(kVenvPath)) {
        files[name] = layers::MakeFile(text);
        continue;
      }
      files[name] = layers::MakeFile(text, 0664, kUserId, kUserGroup);
      for (std::string folder(layers::ParentPath(name)); folder != RelativePath(kVenvPath);
           folder = layers::ParentPath(folder)) {
        files[folder] = layers::MakeDirectory(0775, kUserId, kUserGroup);
      }
    }
  }
}

// git runs nothing that the configuration of somebody else's repository names. A folder that is
// mounted at the workdir can belong to another uid than the container's, and is the user's all the
// same; what lies elsewhere is not trusted (git-config, safe.directory).
void AddGitConfig(const ImageFilesInput& input, ContentTree& files) {
  files[std::string(kGitConfig)] = layers::MakeFile(
      fmt::format("[safe]\n\tdirectory = {}\n", GitQuoted(input.spec.image.workdir)));
}

// Whoever runs in the image may write into them, and so a volume laid over them.
void AddVolumes(const ImageFilesInput& input, ContentTree& files) {
  for (const specs::Service& service : input.spec.services) {
    for (const std::string& volume : service.volumes) {
      files[RelativePath(volume)] = layers::MakeDirectory(0775, kUserId, kUserGroup);
    }
  }
}

}  // namespace

ContentTree MakeRuntimeFiles(const ImageFilesInput& input) {
  ContentTree files;
  files[RelativePath(specs::kSupervisorPath)] =
      layers::MakeFile(std::string(SupervisorProgram(input.locked.platform.architecture)), 0755);
  files["usr/bin/imgbuild-init"] = layers::MakeSymlink(std::string(specs::kSupervisorPath));
  AddPage(input, files);
  return files;
}

ContentTree MakeImageFiles(const ImageFilesInput& input) {
  ContentTree files;
  files["etc/imgbuild/services"] = layers::MakeFile(RenderServiceTable(input.spec, input.shell));
  files["etc/imgbuild/spec.toml"] =
      layers::MakeFile(specs::RenderCanonical(input.spec, input.spec_folder));
  files["etc/imgbuild/lock"] = layers::MakeFile(specs::RenderLock(input.lock));
  files["etc/imgbuild/packages"] = layers::MakeFile(RenderPackages(input.locked));
  AddGitConfig(input, files);
  AddVenv(input, files);
  AddVolumes(input, files);
  AddPresetFiles(input, files);
  return files;
}

}  // namespace imgbuild::builder
