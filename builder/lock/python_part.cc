#include "builder/lock/python_part.h"

#include <algorithm>
#include <map>

#include <fmt/core.h>

#include "builder/lock/cuda_resolution.h"
#include "builder/lock/layer_assignment.h"
#include "builder/lock/wheel_sizes.h"
#include "layers/io/file.h"
#include "layers/io/hashing.h"
#include "specs/base/error.h"
#include "specs/base/text.h"
#include "specs/env/canonical.h"
#include "specs/env/cuda.h"
#include "specs/python/name.h"
#include "specs/python/requirement.h"
#include "specs/python/tags.h"

namespace imgbuild::builder {
namespace {

namespace fs = std::filesystem;
using specs::LockedPackage;
using specs::Requirement;

// REQUIRES: `text` passed the spec's check.
Requirement ParseChecked(const std::string& text) {
  auto parsed = Requirement::Parse(text);
  if (auto* requirement = std::get_if<Requirement>(&parsed)) return std::move(*requirement);
  throw specs::Error(specs::ErrorKind::kUsage, fmt::format("\"{}\" is no requirement", text));
}

class PythonLocker {
 public:
  PythonLocker(const specs::LoadedSpec& loaded, const PythonTarget& target, LockContext& context)
      : section_(loaded.spec.python),
        cuda_(loaded.spec.cuda),
        folder_(loaded.sources.folder),
        target_(target),
        context_(context) {}

  std::vector<LockedPackage> Lock(const KeptVersions& kept, CudaPart cuda) {
    ResolveInput input{.target = target_};
    AddRequirements(input);
    for (const std::string& text : section_.constraints) {
      input.constraints.push_back(ParseChecked(text));
    }
    if (section_.allow_prereleases) input.prereleases = Prereleases::kAllow;
    if (section_.exclude_newer) input.exclude_newer = ParseExcludeNewer(*section_.exclude_newer);
    input.preferences = PreferredVersions(kept, target_.platform, specs::PackageKind::kWheel);
    const bool with_cuda = cuda == CudaPart::kWith && cuda_.provider == "pypi";
    if (input.requirements.empty() && input.wheels.empty() && !with_cuda) return {};
    auto task = context_.progress.Begin("Resolving Python packages", ProgressUnit::kItems);
    const Resolution resolution = with_cuda ? ResolveBoth(input, *task) : Resolve(input, *task);
    task->Finish(fmt::format("{} for {}", specs::Count(resolution.packages.size(), "package"),
                             target_.platform.Render()));
    for (const std::string& warning : resolution.warnings) context_.progress.Warning(warning);
    std::vector<LockedPackage> locked = ToLocked(resolution);
    FindSizes(resolution, kept.previous, context_, locked);
    return locked;
  }

 private:
  ResolveContext Context() const {
    return {.http = context_.http,
            .indexes = context_.indexes,
            .cache_folder = context_.python_cache,
            .connectivity = context_.connectivity,
            .now = context_.now,
            .progress = {}};
  }

  void AddRequirements(ResolveInput& input) {
    for (const specs::PythonLayer& layer : section_.layers) {
      LayerRoots& roots = roots_.emplace_back();
      roots.layer = layer.name;
      for (const std::string& package : layer.packages) {
        if (specs::IsLocalWheel(package)) {
          roots.packages.insert(AddWheel(package, input));
          continue;
        }
        Requirement requirement = ParseChecked(package);
        roots.packages.insert(specs::NormalizeName(requirement.name));
        input.requirements.push_back(std::move(requirement));
      }
    }
  }

  // The wheel's normalised name.
  std::string AddWheel(const std::string& path, ResolveInput& input) {
    const fs::path file = path;
    auto name = specs::WheelName::Parse(file.filename().string());
    const auto* parsed = std::get_if<specs::WheelName>(&name);
    if (parsed == nullptr) {
      throw specs::Error(specs::ErrorKind::kUsage,
                         fmt::format("{} is not named as a wheel is", path));
    }
    input.wheels.push_back(
        {.filename = file.filename(), .path = specs::CanonicalPath(path, folder_), .file = file});
    return specs::NormalizeName(parsed->name);
  }

  Resolution Resolve(const ResolveInput& input, ProgressTask& task) {
    ResolveContext context = Context();
    context.progress = [&](std::size_t decided, std::string_view current) {
      if (decided > shown_) task.Advance(decided - shown_);
      shown_ = std::max(shown_, decided);
      task.SetDetail(current);
    };
    return ResolvePython(input, std::move(context));
  }

  Resolution ResolveBoth(const ResolveInput& input, ProgressTask& task) {
    ReleaseBook book(input, Context());
    return ResolveWithCuda(cuda_, input, book,
                           [&](const ResolveInput& each) { return Resolve(each, task); });
  }

  std::vector<LockedPackage> ToLocked(const Resolution& resolution) {
    RequiredBy required_by;
    for (const ResolvedPackage& package : resolution.packages) {
      required_by[package.name] = package.required_by;
    }
    const std::map<std::string, std::string> layers = AssignLayers(roots_, required_by);
    std::vector<LockedPackage> locked;
    for (const ResolvedPackage& package : resolution.packages) {
      LockedPackage entry{.kind = specs::PackageKind::kWheel,
                          .name = package.name,
                          .version = package.version,
                          .architecture = "",
                          .file = package.filename,
                          .size = package.size.value_or(0),
                          .sha256 = package.sha256.value_or(specs::Sha256()),
                          .source = package.index,
                          .path = package.path,
                          .required_by = {package.required_by.begin(), package.required_by.end()},
                          .layer = layers.at(package.name),
                          .only_with = ""};
      if (package.roots.contains(std::string(specs::kCudaRoot))) entry.layer = specs::kCudaRoot;
      if (!package.roots.contains("spec")) entry.only_with = specs::kCudaRoot;
      if (!package.sha256) HashWheel(package, entry);
      locked.push_back(std::move(entry));
    }
    return locked;
  }

  // For indexes that give no hash: the file itself decides, once.
  void HashWheel(const ResolvedPackage& package, LockedPackage& entry) {
    layers::NullSink nowhere;
    layers::HashingSink hasher(nowhere);
    const HttpResponse answer = context_.http.Fetch(
        {.url = package.url, .headers = FileHeaders(package, context_), .body = &hasher});
    if (answer.status != 200) {
      throw specs::Error(
          fmt::format("could not fetch {}: status {}", RedactUrl(package.url), answer.status));
    }
    entry.size = hasher.count();
    entry.sha256 = hasher.Finish();
  }

  const specs::PythonSection& section_;
  const specs::CudaSection& cuda_;
  const std::string& folder_;
  const PythonTarget& target_;
  LockContext& context_;
  std::vector<LayerRoots> roots_;
  std::size_t shown_ = 0;  // of the progress
};

}  // namespace

std::vector<LockedPackage> LockPython(const specs::LoadedSpec& loaded, const PythonTarget& target,
                                      const KeptVersions& kept, CudaPart cuda,
                                      LockContext& context) {
  return PythonLocker(loaded, target, context).Lock(kept, cuda);
}

}  // namespace imgbuild::builder
