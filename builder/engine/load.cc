#include "builder/engine/load.h"

#include <filesystem>

#include <fmt/core.h>

#include "builder/host/program.h"
#include "layers/image/archive_output.h"
#include "layers/image/layout.h"
#include "specs/base/error.h"
#include "specs/base/text.h"
#include "specs/oci/platform.h"

namespace imgbuild::builder {
namespace {

namespace fs = std::filesystem;

std::string Ask(const Engine& engine, std::vector<std::string> words, const fs::path& folder) {
  const ProgramAnswer answer =
      RunProgram({.words = std::move(words), .input = {}, .folder = folder.string()});
  if (answer.status != 0) {
    throw specs::Error(fmt::format("{} did not take the image", engine.program))
        .Found(fmt::format("exit status {}; what it said is above", answer.status));
  }
  return std::string(specs::Trim(answer.output));
}

// podman reads layouts, and takes from them only the layers that it lacks. It names the image by
// their path, as it is written: capital letters and colons of a home would make it no name.
std::string LoadLayout(const Engine& engine, const layers::Image& image, const std::string& name,
                       layers::Store& store) {
  const fs::path folder = store.IndexDirectory("engine");
  layers::WriteLayout(store, image, folder / (name + ".oci"), {"latest"});
  const std::string output =
      Ask(engine, {engine.program, "pull", "-q", fmt::format("oci:{}.oci:latest", name)}, folder);
  return output.substr(output.rfind('\n') + 1);
}

std::string LoadArchive(const Engine& engine, const layers::Image& image, const std::string& name,
                        layers::Store& store) {
  std::string tag = fmt::format("localhost/imgbuild/{}:latest", name);
  const fs::path folder = store.NewDirectory();
  const fs::path file = folder / "image.tar";
  struct Remove {
    const fs::path& folder;
    ~Remove() {
      std::error_code ignored;
      fs::remove_all(folder, ignored);
    }
  } remove{folder};
  layers::WriteDockerArchive(store, ForThisMachine(image), file, {tag});
  Ask(engine, {engine.program, "load", "-i", file.string()}, {});
  return tag;
}

}  // namespace

const layers::PlatformImage& ForThisMachine(const layers::Image& image) {
  const specs::Platform host = specs::HostPlatform();
  for (const layers::PlatformImage& platform : image.platforms) {
    if (platform.config.platform == host) return platform;
  }
  throw specs::Error("the image is not for this machine's platform")
      .Expected(host.Render())
      .Hint("build it for this one: --platform " + host.Render());
}

std::string LoadImage(const Engine& engine, const layers::Image& image, const std::string& name,
                      layers::Store& store) {
  return specs::WithContext(fmt::format("while giving the image to {}", engine.program), [&] {
    return engine.kind == EngineKind::kPodman ? LoadLayout(engine, image, name, store)
                                              : LoadArchive(engine, image, name, store);
  });
}

}  // namespace imgbuild::builder
