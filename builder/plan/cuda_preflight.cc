#include "builder/plan/cuda_preflight.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <tuple>

#include <fmt/core.h>

#include "specs/base/text.h"
#include "specs/env/cuda.h"

namespace imgbuild::builder {
namespace {

using specs::LockedPackage;
using specs::PackageKind;

// What one major version of CUDA, or Debian's, takes in the image.
struct Share {
  std::size_t count = 0;
  std::uint64_t bytes = 0;          // of archives
  std::set<std::string> asked_for;  // packages that are no part of it, and "spec" or "cuda"

  std::string Size() const { return specs::HumanBytes(bytes); }
};

bool StartsWithAny(std::string_view name, std::span<const std::string_view> starts) {
  return std::ranges::any_of(starts, [&](std::string_view it) { return name.starts_with(it); });
}

bool IsDebianCuda(const LockedPackage& package) {
  static constexpr std::array<std::string_view, 12> kStarts = {
      "nvidia-cuda-", "libcudart", "libcublas", "libcufft",  "libcurand", "libcusolver",
      "libcusparse",  "libnpp",    "libnvrtc",  "libnvjpeg", "libcupti",  "libnvjitlink",
  };
  return package.kind == PackageKind::kDeb && StartsWithAny(package.name, kStarts);
}

std::string Major(std::string_view version) {
  return std::string(version.substr(0, version.find('.')));
}

// "12" of "nvidia-cublas-cu12"; "" of a name without.
std::string MajorInName(std::string_view name) {
  const std::size_t mark = name.rfind("-cu");
  if (mark == std::string_view::npos) return "";
  const std::string_view digits = name.substr(mark + 3);
  return specs::ParseUnsigned(digits) ? std::string(digits) : "";
}

// Since CUDA 13 the projects have no version in their names. nvidia-ml-py and the like are no part
// of it.
bool IsCudaWheel(const LockedPackage& package) {
  static constexpr std::array<std::string_view, 13> kStarts = {
      "nvidia-cublas",   "nvidia-cuda-", "nvidia-cufft",     "nvidia-cufile",   "nvidia-curand",
      "nvidia-cusolver", "nvidia-npp",   "nvidia-cusparse",  "nvidia-nvfatbin", "nvidia-nvjpeg",
      "nvidia-nvvm",     "nvidia-nvtx",  "nvidia-nvjitlink",
  };
  if (package.kind != PackageKind::kWheel) return false;
  if (package.name == "cuda-toolkit" || StartsWithAny(package.name, kStarts)) return true;
  return package.name.starts_with("nvidia-") && !MajorInName(package.name).empty();
}

// "13.0" of "13.0.96" and of Debian's "11.8.89~11.8.0-5".
std::string Minor(const std::string& version) {
  const std::vector<std::string_view> parts = specs::Split(version, '.');
  return parts.size() < 2 ? version : fmt::format("{}.{}", parts[0], parts[1]);
}

// Of CUDA as a whole, from packages that are versioned with it; the runtime says it best. "" where
// there is none of them. Libraries have versions of their own.
std::string CudaVersion(const specs::LockedPlatform& locked, std::string_view suffix) {
  static constexpr std::array<std::string_view, 5> kTelling = {
      "nvidia-cuda-runtime", "cuda-toolkit", "nvidia-cuda-nvrtc", "nvidia-nvjitlink",
      "nvidia-cuda-nvcc"};
  for (std::string_view telling : kTelling) {
    for (const LockedPackage& package : locked.packages) {
      if (package.kind != PackageKind::kWheel) continue;
      if (package.name == fmt::format("{}{}", telling, suffix)) return Minor(package.version);
    }
  }
  return "";
}

std::string DebianCudaVersion(const specs::LockedPlatform& locked) {
  for (std::string_view telling : {"nvidia-cuda-toolkit", "libcudart"}) {
    for (const LockedPackage& package : locked.packages) {
      if (package.kind == PackageKind::kDeb && package.name.starts_with(telling)) {
        return Minor(package.version);
      }
    }
  }
  return "";
}

void Count(const LockedPackage& package, Share& share) {
  ++share.count;
  share.bytes += package.size;
  for (const std::string& by : package.required_by) {
    if (!by.starts_with("nvidia-") && by != "cuda-toolkit") share.asked_for.insert(by);
  }
}

// By a number: "9" before "13". "" is the major version of wheels that nothing tells it of.
struct ByNumber {
  bool operator()(const std::string& a, const std::string& b) const {
    return std::tuple(a.size(), a) < std::tuple(b.size(), b);
  }
};
using Shares = std::map<std::string, Share, ByNumber>;

Shares WheelsByMajor(const specs::LockedPlatform& locked) {
  const std::string plain = Major(CudaVersion(locked, ""));
  Shares shares;
  for (const LockedPackage& package : locked.packages) {
    if (!IsCudaWheel(package)) continue;
    const std::string major = MajorInName(package.name);
    Count(package, shares[major.empty() ? plain : major]);
  }
  return shares;
}

Share Together(const Shares& shares) {
  Share all;
  for (const auto& [major, share] : shares) {
    all.count += share.count;
    all.bytes += share.bytes;
    all.asked_for.insert(share.asked_for.begin(), share.asked_for.end());
  }
  return all;
}

// The newest that any of the wheels is of.
std::string NewestVersion(const specs::LockedPlatform& locked, const Shares& wheels) {
  if (wheels.empty()) return "";
  const std::string& major = wheels.rbegin()->first;
  std::string version = CudaVersion(locked, "-cu" + major);
  const std::string plain = CudaVersion(locked, "");
  if (version.empty() && Major(plain) == major) version = plain;
  if (version.empty() && !major.empty()) version = major + ".0";
  return version;
}

// Of two such as "11.8"; "" is older than any.
std::string Newer(const std::string& a, const std::string& b) {
  const auto numbers = [](const std::string& version) {
    std::vector<std::uint64_t> parts;
    for (std::string_view part : specs::Split(version, '.')) {
      parts.push_back(specs::ParseUnsigned(part).value_or(0));
    }
    return parts;
  };
  return numbers(a) < numbers(b) ? b : a;
}

// "torch and jax", with the spec and its section named as such.
std::string Askers(const Share& share) {
  std::vector<std::string> names;
  for (const std::string& by : share.asked_for) {
    names.push_back(by == "spec" ? "the spec" : by == specs::kCudaRoot ? "[cuda]" : by);
  }
  return names.empty() ? "other packages" : specs::Join(names, ", ");
}

std::string TwoMajors(const Shares& shares) {
  std::string text = "libraries of two major versions of CUDA are in the image:";
  for (const auto& [major, share] : shares) {
    text += fmt::format(" {} of {} ({}, for {}),", specs::Count(share.count, "wheel"),
                        major.empty() ? "an unknown one" : "CUDA " + major, share.Size(),
                        Askers(share));
  }
  text.back() = ';';
  return text + " choose cuda.version and releases of these packages for one of them";
}

bool IsCudaLibrary(std::string_view name) {
  static constexpr std::array<std::string_view, 10> kStarts = {
      "libcudart",   "libcublas", "libcufft", "libcurand",    "libcusolver",
      "libcusparse", "libnpp",    "libnvrtc", "libnvjitlink", "libcudnn",
  };
  return StartsWithAny(name, kStarts) && name.find(".so") != std::string_view::npos;
}

bool HasProgram(const layers::BaseImage& base, std::string_view name) {
  std::string path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  for (const std::string& variable : base.config.env) {
    if (variable.starts_with("PATH=")) path = variable.substr(5);
  }
  const std::vector<std::string_view> folders = specs::Split(path, ':');
  return std::ranges::any_of(folders, [&](std::string_view folder) {
    return base.Resolve(fmt::format("{}/{}", folder, name)).has_value();
  });
}

}  // namespace

CudaPreflight CheckCuda(const specs::Spec& spec, const specs::LockedPlatform& locked) {
  CudaPreflight result;
  const Shares wheels = WheelsByMajor(locked);
  const Share all = Together(wheels);
  Share debian;
  for (const LockedPackage& package : locked.packages) {
    if (IsDebianCuda(package)) Count(package, debian);
  }
  result.driver = Newer(NewestVersion(locked, wheels), DebianCudaVersion(locked));
  if (wheels.size() > 1) result.warnings.push_back(TwoMajors(wheels));
  if (debian.count > 0 && all.count > 0) {
    result.warnings.push_back(fmt::format(
        "the image has Debian's CUDA ({}, {}) and {} of CUDA ({}, for {}): write provider = "
        "\"pypi\", or choose builds of these packages without CUDA",
        specs::Count(debian.count, "package"), debian.Size(), specs::Count(all.count, "wheel"),
        all.Size(), Askers(all)));
  }
  if (!specs::CudaInForce(spec.cuda, locked.platform) && all.count > 0) {
    const std::string state =
        spec.cuda.enabled ? fmt::format("[cuda] is left out for {}", locked.platform.Render())
                          : "CUDA is off";
    result.warnings.push_back(fmt::format(
        "{}, but {} of it ({}) come with {}: where no GPU is meant, take builds without CUDA from "
        "an index that has them ([[python.indexes]])",
        state, specs::Count(all.count, "wheel"), all.Size(), Askers(all)));
  }
  return result;
}

std::vector<std::string> CheckCudaOnBase(const specs::Spec& spec,
                                         const specs::LockedPlatform& locked,
                                         const layers::BaseImage& base) {
  std::vector<std::string> warnings;
  std::uint64_t bytes = 0;
  std::string runtime;
  for (const layers::FileFacts& file : base.files.files) {
    const std::string_view name = std::string_view(file.path).substr(file.path.rfind('/') + 1);
    if (!IsCudaLibrary(name)) continue;
    if (file.node.type == layers::NodeType::kFile) bytes += file.node.size;
    if (runtime.empty() && name.starts_with("libcudart.so")) runtime = "/" + file.path;
  }
  const Share all = Together(WheelsByMajor(locked));
  if (!runtime.empty() && all.count > 0) {
    warnings.push_back(fmt::format(
        "the base image has CUDA of its own ({}; {} of libraries) and {} of CUDA ({}, for {}) come "
        "on top: build on an image without it, or take builds without CUDA from an index that has "
        "them ([[python.indexes]])",
        runtime, specs::HumanBytes(bytes), specs::Count(all.count, "wheel"), all.Size(),
        Askers(all)));
  }
  const bool nvcc = std::ranges::any_of(locked.packages, [](const LockedPackage& package) {
    return package.kind == PackageKind::kWheel && package.name == specs::kNvccWheel &&
           package.layer == specs::kCudaRoot;
  });
  if (specs::CudaInForce(spec.cuda, locked.platform) && nvcc && !HasProgram(base, "g++")) {
    warnings.emplace_back(
        "nvcc needs a host compiler, and the base image has no g++ on its PATH: build on an image "
        "that has it, or leave nvcc out of cuda.components");
  }
  return warnings;
}

}  // namespace imgbuild::builder
