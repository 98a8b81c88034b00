#include "builder/engine/load.h"

#include <algorithm>
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

std::string Tell(const Engine& engine, std::vector<std::string> words, const fs::path& folder) {
  const ProgramAnswer answer =
      RunProgram({.words = std::move(words), .input = {}, .folder = folder.string()});
  if (answer.status != 0) {
    throw specs::Error(fmt::format("{} did not take the image", engine.program))
        .Found(fmt::format("exit status {}; what it said is above", answer.status));
  }
  return std::string(specs::Trim(answer.output));
}

// Its first line; "" where the engine says nothing or cannot tell.
std::string AskQuietly(const Engine& engine, std::vector<std::string> words) {
  words.insert(words.begin(), engine.program);
  const ProgramAnswer answer = RunProgram({.words = std::move(words), .input = {}});
  if (answer.status != 0) return "";
  return answer.output.substr(0, answer.output.find('\n'));
}

// "localhost-team-notebook-latest": a folder, and no more than that to podman.
std::string FolderName(const std::string& reference) {
  std::string name = reference;
  std::ranges::replace_if(
      name, [](char c) { return c == '/' || c == ':'; }, '-');
  return name;
}

// podman reads layouts, and takes from them only the layers that it lacks. It names the image by
// their path, as it is written: capital letters and colons of a home would make it no name.
std::string LoadLayout(const Engine& engine, const layers::Image& image,
                       const std::string& reference, layers::Store& store) {
  const fs::path folder = store.IndexDirectory("engine");
  const std::string name = FolderName(reference);
  layers::WriteLayout(store, image, folder / (name + ".oci"), {"latest"});
  const std::string output =
      Tell(engine, {engine.program, "pull", "-q", fmt::format("oci:{}.oci:latest", name)}, folder);
  return output.substr(output.rfind('\n') + 1);
}

void LoadArchive(const Engine& engine, const layers::Image& image, const std::string& reference,
                 layers::Store& store) {
  const fs::path folder = store.NewDirectory();
  const fs::path file = folder / "image.tar";
  struct Remove {
    const fs::path& folder;
    ~Remove() {
      std::error_code ignored;
      fs::remove_all(folder, ignored);
    }
  } remove{folder};
  layers::WriteDockerArchive(store, ForThisMachine(image), file, {reference});
  Tell(engine, {engine.program, "load", "-i", file.string()}, {});
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

std::string LoadImage(const Engine& engine, const layers::Image& image,
                      const std::string& reference, layers::Store& store) {
  return specs::WithContext(fmt::format("while giving the image to {}", engine.program), [&] {
    const std::string before = ImageId(engine, reference);
    std::string now = reference;
    if (engine.kind == EngineKind::kPodman) {
      now = LoadLayout(engine, image, reference, store);
      if (now != before) Tell(engine, {engine.program, "tag", now, reference}, {});
    } else {
      LoadArchive(engine, image, reference, store);
    }
    RemoveUnusedImage(engine, before);
    return now;
  });
}

std::string ImageId(const Engine& engine, const std::string& reference) {
  std::string id =
      AskQuietly(engine, {"images", "-q", "--no-trunc", "--filter", "reference=" + reference});
  constexpr std::string_view kAlgorithm = "sha256:";
  if (id.starts_with(kAlgorithm)) id.erase(0, kAlgorithm.size());
  return id;
}

void RemoveUnusedImage(const Engine& engine, const std::string& id) {
  if (id.empty()) return;
  if (!AskQuietly(engine, {"ps", "-aq", "--filter", "ancestor=" + id}).empty()) return;
  const std::string names =
      AskQuietly(engine, {"image", "inspect", "--format", "{{len .RepoTags}}", id});
  if (names != "0") return;
  AskQuietly(engine, {"rmi", id});
}

}  // namespace imgbuild::builder
