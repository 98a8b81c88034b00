#include "builder/lock/debian_part.h"

#include <algorithm>
#include <map>

#include <fmt/core.h>

#include "builder/debian/profiles.h"
#include "builder/debian/solve.h"
#include "builder/lock/cuda_part.h"
#include "specs/base/error.h"
#include "specs/base/text.h"
#include "specs/debian/version.h"
#include "specs/env/cuda.h"

namespace imgbuild::builder {
namespace {

using specs::LockedPackage;

constexpr std::string_view kBaseLayer = "base";

std::string FileName(std::string_view path) {
  return std::string(path.substr(path.rfind('/') + 1));
}

LockedPackage ToLocked(const ClosurePackage& chosen, std::string_view layer) {
  const Package& package = chosen.package;
  return {.kind = specs::PackageKind::kDeb,
          .name = std::string(package.name()),
          .version = std::string(package.version()),
          .architecture = std::string(package.architecture()),
          .file = FileName(package.filename()),
          .size = package.size(),
          .sha256 = package.sha256(),
          .source = std::string(package.source()),
          .path = std::string(package.filename()),
          .required_by = chosen.required_by,
          .layer = std::string(layer)};
}

std::vector<LockedPackage> ToLocked(const Closure& closure, std::string_view layer) {
  std::vector<LockedPackage> packages;
  for (const ClosurePackage& chosen : closure.packages) packages.push_back(ToLocked(chosen, layer));
  std::sort(packages.begin(), packages.end(),
            [](const LockedPackage& a, const LockedPackage& b) { return a.name < b.name; });
  return packages;
}

// The solver knows one kind of root; this tells them apart again.
void NameRoots(const std::vector<std::string>& roots, const std::vector<std::string>& cuda_roots,
               std::vector<LockedPackage>& packages) {
  for (LockedPackage& package : packages) {
    if (std::ranges::find(cuda_roots, package.name) == cuda_roots.end()) continue;
    std::vector<std::string>& by = package.required_by;
    if (std::ranges::find(roots, package.name) == roots.end()) std::erase(by, "spec");
    by.emplace_back(specs::kCudaRoot);
    std::ranges::sort(by);
  }
}

// What the spec's own roots do not reach is only there for CUDA.
void MarkCuda(std::vector<LockedPackage>& packages) {
  std::map<std::string_view, std::vector<LockedPackage*>> needs;
  for (LockedPackage& package : packages) {
    package.only_with = package.layer = specs::kCudaRoot;
    for (const std::string& by : package.required_by) needs[by].push_back(&package);
  }
  std::vector<std::string_view> pending = {"spec"};
  while (!pending.empty()) {
    const std::string_view by = pending.back();
    pending.pop_back();
    for (LockedPackage* package : needs[by]) {
      if (package->only_with.empty()) continue;
      package->only_with.clear();
      package->layer = kBaseLayer;
      pending.push_back(package->name);
    }
  }
}

}  // namespace

std::vector<LockedPackage> LockDebian(const specs::Spec& spec, const PackageIndex& index,
                                      const specs::Platform& platform, const KeptVersions& kept,
                                      const std::vector<std::string>& cuda_roots) {
  DebianSolveOptions options;
  options.preferences = PreferredVersions(kept, platform, specs::PackageKind::kDeb);
  options.known = NamesBefore(kept, platform, specs::PackageKind::kDeb);
  ProfilePackages profile = PackagesOf(spec.system.suite, spec.system.profile);
  options.assumed = std::move(profile.assumed);
  std::vector<std::string> roots = std::move(profile.roots);
  roots.insert(roots.end(), spec.system.packages.begin(), spec.system.packages.end());
  if (spec.system.profile == specs::Profile::kSlim) {
    const std::vector<std::string> essential = PackagesForApt(index, spec.system.packages);
    roots.insert(roots.end(), essential.begin(), essential.end());
  }
  if (cuda_roots.empty()) return ToLocked(SolveDebian(index, roots, options), kBaseLayer);

  const std::vector<std::string> driver = CudaDriverPackages(spec.cuda);
  options.assumed.insert(driver.begin(), driver.end());
  std::vector<std::string> all = roots;
  all.insert(all.end(), cuda_roots.begin(), cuda_roots.end());
  std::vector<LockedPackage> packages =
      specs::WithContext("with what [cuda] needs of Debian: " + specs::Join(cuda_roots, ", "),
                         [&] { return ToLocked(SolveDebian(index, all, options), kBaseLayer); });
  CheckDebianCuda(spec.cuda, spec.system.suite, packages);
  NameRoots(roots, cuda_roots, packages);
  MarkCuda(packages);
  return packages;
}

specs::LockedCompiler LockCompiler(const PackageIndex& index, const specs::Platform& host,
                                   std::string_view python, std::string_view debian_version,
                                   const KeptVersions& kept) {
  std::string root = fmt::format("python{}-minimal", python);
  if (!debian_version.empty()) root += fmt::format("={}", debian_version);
  DebianSolveOptions options;
  options.preferences = PreferredForCompiler(kept, host);
  return {.host = host, .packages = ToLocked(SolveDebian(index, {root}, options), "compiler")};
}

std::string PythonVersionOf(std::string_view debian_version) {
  const auto parsed = specs::DebianVersion::Parse(debian_version);
  if (!parsed) throw specs::Error(fmt::format("{} is not a Debian version", debian_version));
  // A repacked or pre-release upstream part carries more than Python's own version.
  return parsed->upstream.substr(0, parsed->upstream.find_first_not_of("0123456789."));
}

const LockedPackage& FindLocked(const std::vector<LockedPackage>& packages, std::string_view name) {
  auto found = std::find_if(packages.begin(), packages.end(),
                            [&](const LockedPackage& package) { return package.name == name; });
  if (found != packages.end()) return *found;
  throw specs::Error(fmt::format("the base has no package {}", name));
}

}  // namespace imgbuild::builder
