#include "builder/lock/cuda_part.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include <fmt/core.h>

#include "specs/base/error.h"
#include "specs/base/text.h"
#include "specs/env/cuda.h"

namespace imgbuild::builder {
namespace {

constexpr std::string_view kDebianToolkit = "nvidia-cuda-toolkit";
// Depends on the newest g++ that the toolkit's nvcc takes: the suite's own is too new for it.
constexpr std::string_view kDebianHostCompiler = "nvidia-cuda-toolkit-gcc";

// What programs load when they run, as far as a version has it.
constexpr std::array<std::string_view, 11> kRuntime = {
    "cublas",   "cudart", "cufft",     "cufile", "curand", "cusolver",
    "cusparse", "npp",    "nvjitlink", "nvjpeg", "nvrtc",
};

// Wheels beside the toolkit, one project for each major version of CUDA.
constexpr std::array<std::string_view, 2> kBeside = {"cudnn", "nccl"};

bool Has(const std::vector<std::string>& list, std::string_view item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

// "13.0" of "13.0.2.0".
std::string Minor(const std::string& version) {
  const std::vector<std::string_view> parts = specs::Split(version, '.');
  return fmt::format("{}.{}", parts[0], parts.size() > 1 ? parts[1] : "0");
}

std::string MinorVersions(const std::vector<std::string>& versions) {
  std::vector<std::string> minors;
  for (const std::string& version : versions) {
    std::string minor = Minor(version);
    if (!Has(minors, minor)) minors.push_back(std::move(minor));
  }
  return specs::Join(minors, ", ");
}

specs::Requirement MakeRequirement(const std::string& text) {
  auto parsed = specs::Requirement::Parse(text);
  if (auto* requirement = std::get_if<specs::Requirement>(&parsed)) return std::move(*requirement);
  throw specs::Error(specs::ErrorKind::kUsage, fmt::format("\"{}\" is no requirement", text));
}

specs::Requirement AnyRelease(const specs::CudaSection& section) {
  return MakeRequirement(fmt::format("{}=={}.*", kCudaToolkit, section.version));
}

bool IsBeside(const std::string& component) {
  return std::find(kBeside.begin(), kBeside.end(), component) != kBeside.end();
}

std::string MajorOf(const specs::CudaSection& section) {
  return std::string(specs::Split(section.version, '.')[0]);
}

class Toolkit {
 public:
  // `release` is "" for the newest.
  Toolkit(const specs::CudaSection& section, ReleaseBook& book, std::string release = "")
      : section_(section),
        book_(book),
        asked_for_(release.empty() ? section.version : release),
        release_(std::move(release)) {
    const specs::Requirement wanted = AnyRelease(section);
    if (release_.empty()) release_ = book.Newest(wanted.name, wanted.specifier);
    if (release_.empty()) throw NoSuchVersion();
    offered_ = book.Extras(wanted.name, {release_}).at(release_);
  }

  const std::string& release() const { return release_; }
  // Its extras.
  const std::vector<std::string>& offered() const { return offered_; }

  // Of the section's components.
  std::set<std::string> Extras() const {
    std::set<std::string> extras;
    for (const std::string& component : section_.components) {
      if (!IsBeside(component)) Add(component, extras);
    }
    return extras;
  }

 private:
  // Adds the extras of the toolkit that a component stands for.
  void Add(const std::string& component, std::set<std::string>& extras) const {
    if (component == "toolkit") {
      if (Has(offered_, "all")) {
        extras.insert("all");
      } else {
        extras.insert(offered_.begin(), offered_.end());
      }
    } else if (component == "runtime") {
      for (std::string_view name : kRuntime) {
        if (Has(offered_, name)) extras.emplace(name);
      }
    } else if (Has(offered_, component)) {
      extras.insert(component);
    } else {
      throw NoSuchComponent(component);
    }
  }

  specs::Error NoSuchVersion() const {
    const std::vector<std::string> versions = book_.Versions(std::string(kCudaToolkit));
    if (versions.empty()) {
      return specs::Error(specs::ErrorKind::kUnresolvable,
                          fmt::format("no index has {}, which says what CUDA {} consists of",
                                      kCudaToolkit, section_.version))
          .Hint("name an index that has it in [[python.indexes]], or write provider = \"debian\"");
    }
    return specs::Error(specs::ErrorKind::kUnresolvable,
                        fmt::format("there is no CUDA {} on the index", section_.version))
        .Found("cuda.version = \"" + section_.version + "\"")
        .Expected("one of " + MinorVersions(versions));
  }

  specs::Error NoSuchComponent(const std::string& component) const {
    std::vector<std::string> names = offered_;
    names.insert(names.end(), {"toolkit", "runtime"});
    names.insert(names.end(), kBeside.begin(), kBeside.end());
    std::sort(names.begin(), names.end());
    std::string hint = specs::DidYouMean(component, names);
    const std::string project(kCudaToolkit);
    const bool one_release = asked_for_ != section_.version;
    const std::vector<std::string> versions =
        one_release ? CudaReleases(section_, book_) : book_.Versions(project);
    const auto extras = book_.Extras(project, versions);
    std::vector<std::string> having;
    for (const std::string& version : versions) {
      if (Has(extras.at(version), component)) having.push_back(version);
    }
    if (!having.empty()) {
      hint += fmt::format("{}CUDA {} has it", hint.empty() ? "" : "; ",
                          one_release ? specs::Join(having, ", ") : MinorVersions(having));
    }
    return specs::Error(specs::ErrorKind::kUnresolvable,
                        fmt::format("CUDA {} has no component \"{}\"", asked_for_, component))
        .Expected("some of " + specs::Join(names, ", "))
        .Hint(std::move(hint));
  }

  const specs::CudaSection& section_;
  ReleaseBook& book_;
  std::string asked_for_;  // the section's version, or the release that was named
  std::string release_;
  std::vector<std::string> offered_;
};

// Those that are projects of their own.
std::vector<specs::Requirement> Beside(const specs::CudaSection& section) {
  std::vector<specs::Requirement> requirements;
  for (const std::string& component : section.components) {
    if (!IsBeside(component)) continue;
    requirements.push_back(
        MakeRequirement(fmt::format("nvidia-{}-cu{}", component, MajorOf(section))));
  }
  return requirements;
}

}  // namespace

std::vector<std::string> CudaDebianPackages(const specs::CudaSection& section,
                                            const std::vector<specs::LockedPackage>& wheels) {
  if (section.provider == "debian") {
    return {std::string(kDebianToolkit), std::string(kDebianHostCompiler)};
  }
  const bool compiles = std::ranges::any_of(wheels, [](const specs::LockedPackage& wheel) {
    return wheel.name == specs::kNvccWheel && wheel.layer == specs::kCudaRoot;
  });
  if (compiles) return {"g++"};
  return {};
}

std::vector<std::string> CudaDebianComponents(const specs::CudaSection& section) {
  if (section.version.empty() || section.provider != "debian") return {};
  return {"contrib", "non-free"};
}

std::vector<std::string> CudaDriverPackages(const specs::CudaSection& section) {
  if (section.provider != "debian") return {};
  return {"libcuda1", "libnvidia-ml1"};
}

void CheckDebianCuda(const specs::CudaSection& section, specs::Suite suite,
                     const std::vector<specs::LockedPackage>& packages) {
  if (section.provider != "debian") return;
  for (const specs::LockedPackage& package : packages) {
    if (package.name != kDebianToolkit) continue;
    // "11.8.89~11.8.0-5~deb12u1", "12.4.131~12.4.1-2"
    const std::string found = Minor(package.version);
    if (found == Minor(section.version)) return;
    throw specs::Error(
        specs::ErrorKind::kUnresolvable,
        fmt::format("Debian {} has no CUDA {}", specs::SuiteName(suite), section.version))
        .Found("cuda.version = \"" + section.version + "\"")
        .Expected("version = \"" + found + "\", or provider = \"pypi\"");
  }
}

std::set<std::string> CudaExtras(const specs::CudaSection& section, ReleaseBook& book,
                                 const std::string& release) {
  return Toolkit(section, book, release).Extras();
}

std::vector<specs::Requirement> CudaRequirements(const specs::CudaSection& section,
                                                 ReleaseBook& book, const std::string& release) {
  const std::set<std::string> extras = CudaExtras(section, book, release);
  const std::string parts = specs::Join({extras.begin(), extras.end()}, ",");
  std::vector<specs::Requirement> requirements = Beside(section);
  requirements.push_back(
      MakeRequirement(fmt::format("{}{}=={}", kCudaToolkit, parts.empty() ? "" : "[" + parts + "]",
                                  release.empty() ? section.version + ".*" : release)));
  return requirements;
}

std::vector<std::string> CudaReleases(const specs::CudaSection& section, ReleaseBook& book) {
  const specs::Requirement wanted = AnyRelease(section);
  std::vector<std::string> releases = book.Versions(wanted.name);
  std::erase_if(releases, [&](const std::string& release) {
    const auto version = specs::Version::Parse(release);
    return !version || !wanted.specifier.Contains(*version);
  });
  std::reverse(releases.begin(), releases.end());
  return releases;
}

LooseCuda LooseCudaRequirements(const specs::CudaSection& section, ReleaseBook& book) {
  const Toolkit toolkit(section, book);
  const auto parts_of = [&](const std::set<std::string>& extras) {
    std::vector<specs::Requirement> parts;
    for (const Dependency& part :
         book.Dependencies(std::string(kCudaToolkit), toolkit.release(), extras)) {
      std::string range;
      for (const specs::Specifier& one : part.specifier.specifiers()) {
        if (one.op() != specs::SpecifierOperator::kEqual) continue;
        range = "==" + Minor(one.version_text()) + ".*";
      }
      parts.push_back(MakeRequirement(part.project + range));
    }
    return parts;
  };
  LooseCuda loose{.requirements = Beside(section),
                  .constraints = parts_of({toolkit.offered().begin(), toolkit.offered().end()})};
  const std::vector<specs::Requirement> asked_for = parts_of(toolkit.Extras());
  loose.requirements.insert(loose.requirements.end(), asked_for.begin(), asked_for.end());
  loose.constraints.push_back(AnyRelease(section));
  return loose;
}

bool HasOtherCuda(const specs::CudaSection& section, const std::vector<std::string>& projects) {
  const std::string major = MajorOf(section);
  // Since CUDA 13 the projects have no version in their names.
  const bool plain_is_ours = specs::ParseUnsigned(major).value_or(0) >= 13;
  return std::ranges::any_of(projects, [&](const std::string& project) {
    for (std::string_view telling : {"nvidia-cuda-runtime", "nvidia-cublas"}) {
      if (project == telling) return !plain_is_ours;
      const std::string start = fmt::format("{}-cu", telling);
      if (project.starts_with(start)) return project.substr(start.size()) != major;
    }
    return false;
  });
}

}  // namespace imgbuild::builder
