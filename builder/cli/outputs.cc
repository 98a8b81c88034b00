#include "builder/cli/outputs.h"

#include <filesystem>
#include <map>
#include <utility>

#include <fmt/core.h>

#include "builder/cli/output_bar.h"
#include "builder/cli/writable.h"
#include "layers/image/archive_output.h"
#include "layers/image/layout.h"
#include "specs/base/error.h"
#include "specs/oci/reference.h"

namespace imgbuild::builder {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> RepoTags(const specs::ImageSection& image) {
  if (image.tags.empty()) return {image.name + ":latest"};
  std::vector<std::string> names;
  for (const std::string& tag : image.tags) names.push_back(image.name + ":" + tag);
  return names;
}

// What tells the image from others of a layout. podman names what it pulls from there after it.
std::vector<std::string> LayoutNames(const specs::ImageSection& image) {
  return image.tags.empty() ? std::vector{image.name} : image.tags;
}

// The name after the path: for docker a whole one, of which engines need the tag, else the
// annotation that tells images of one layout apart.
std::string ParseName(std::string_view output, std::string_view name, OutputKind kind) {
  if (name.empty()) {
    throw specs::Error(specs::ErrorKind::kUsage,
                       fmt::format("-o {}: the tag after \":\" is missing", output));
  }
  if (kind == OutputKind::kDockerArchive) {
    return specs::WithContext(fmt::format("in -o {}", output), [&] {
      specs::Reference reference = specs::ParseImageName(name);
      if (reference.digest) {
        throw specs::Error(specs::ErrorKind::kUsage, "a docker-archive names no digests")
            .Expected("NAME[:TAG]");
      }
      if (reference.tag.empty()) reference.tag = "latest";
      return reference.Render();
    });
  }
  if (specs::IsTag(name) || specs::IsRefName(name)) return std::string(name);
  throw specs::Error(specs::ErrorKind::kUsage, fmt::format("-o {}: \"{}\" is no tag", output, name))
      .Expected("letters and digits with \".\", \"_\", \"-\" between");
}

}  // namespace

std::string Output::Render() const {
  const std::string tag = tags.empty() ? "" : ":" + tags.front();
  switch (kind) {
    case OutputKind::kOci:
      return "oci:" + path + tag;
    case OutputKind::kOciArchive:
      return "oci-archive:" + path;
    case OutputKind::kDockerArchive:
      return "docker-archive:" + path;
  }
  return path;
}

Output ParseOutput(std::string_view text, const specs::ImageSection& image) {
  const std::size_t colon = text.find(':');
  const std::string_view transport = text.substr(0, colon);
  Output output;
  if (transport == "oci") {
    output.kind = OutputKind::kOci;
  } else if (transport == "oci-archive") {
    output.kind = OutputKind::kOciArchive;
  } else if (transport == "docker-archive") {
    output.kind = OutputKind::kDockerArchive;
  } else {
    throw specs::Error(specs::ErrorKind::kUsage, fmt::format("-o {}: unknown transport", text))
        .Expected("oci:DIRECTORY[:TAG], oci-archive:FILE[:TAG] or docker-archive:FILE[:NAME]");
  }
  std::string_view rest = colon == std::string_view::npos ? "" : text.substr(colon + 1);
  const std::size_t tag = rest.find(':');
  output.path = rest.substr(0, tag);
  if (output.path.empty()) {
    throw specs::Error(specs::ErrorKind::kUsage, fmt::format("-o {}: the path is missing", text));
  }
  if (tag != std::string_view::npos) {
    output.tags = {ParseName(text, rest.substr(tag + 1), output.kind)};
  } else {
    output.tags = output.kind == OutputKind::kDockerArchive ? RepoTags(image) : LayoutNames(image);
  }
  return output;
}

Output DefaultOutput(const specs::ImageSection& image) {
  const std::string base = image.name.substr(image.name.rfind('/') + 1);
  return {.kind = OutputKind::kOci, .path = base + ".oci", .tags = LayoutNames(image)};
}

void RequireApart(const std::vector<specs::LoadedSpec>& all) {
  std::map<std::pair<std::string, std::string>, std::string> taken;  // path and tag -> spec
  for (const specs::LoadedSpec& loaded : all) {
    const Output output = DefaultOutput(loaded.spec.image);
    for (const std::string& tag : output.tags) {
      const auto [other, is_new] = taken.emplace(std::pair(output.path, tag), loaded.sources.file);
      if (is_new) continue;
      const Output shared{.kind = output.kind, .path = output.path, .tags = {tag}};
      throw specs::Error(specs::ErrorKind::kUsage,
                         fmt::format("{} and {} would both be written to {}", other->second,
                                     loaded.sources.file, shared.Render()))
          .Hint(
              "give one of them another image.name or other image.tags, or build them one by one, "
              "each with -o");
    }
  }
}

namespace {

void CheckLayoutPlace(const fs::path& place) {
  std::error_code error;
  const bool is_file = fs::exists(place, error) && !fs::is_directory(place, error);
  if (!is_file) RequireWritableFolder(place);
  layers::RequireLayoutPlace(place);
  RequireWritableFolder(place / "blobs" / "sha256");
}

void CheckArchivePlace(const fs::path& place) {
  std::error_code error;
  const fs::path folder = place.parent_path();
  if (fs::is_directory(place, error)) {
    throw specs::Error(fmt::format("{} is a directory", place.string())).Expected("a file's name");
  }
  if (!folder.empty() && !fs::exists(folder, error)) {
    throw specs::Error(fmt::format("there is no folder {}", folder.string()))
        .Hint("make it, or name another output with -o");
  }
  RequireWritableFolder(folder);
}

}  // namespace

void CheckOutput(const Output& output, const specs::ImageSection& image) {
  specs::WithContext("for the output " + output.Render(), [&] {
    if (output.kind == OutputKind::kDockerArchive && image.platforms.size() != 1) {
      throw specs::Error(specs::ErrorKind::kUsage,
                         "a docker-archive holds one platform, and this image has several")
          .Hint("choose one: --platform linux/amd64");
    }
    if (output.kind == OutputKind::kOci) {
      CheckLayoutPlace(output.path);
    } else {
      CheckArchivePlace(output.path);
    }
  });
}

namespace {

// `whole` is the image, `runnable` what of it a docker-archive holds.
template <typename Image, typename Runnable>
void Write(const Output& output, const Image& whole, const Runnable& runnable, layers::Store& store,
           Progress& progress) {
  OutputBar bar(progress, output.Render());
  switch (output.kind) {
    case OutputKind::kOci:
      layers::WriteLayout(store, whole, output.path, output.tags, &bar);
      return;
    case OutputKind::kOciArchive:
      layers::WriteOciArchive(store, whole, output.path, output.tags, &bar);
      return;
    case OutputKind::kDockerArchive:
      layers::WriteDockerArchive(store, runnable, output.path, output.tags, &bar);
      return;
  }
}

}  // namespace

void WriteOutput(const Output& output, const layers::Image& image, layers::Store& store,
                 Progress& progress) {
  Write(output, image, image.platforms.front(), store, progress);
}

void WriteOutput(const Output& output, const layers::ImageSource& image, layers::Store& store,
                 Progress& progress) {
  Write(output, image, image, store, progress);
}

}  // namespace imgbuild::builder
