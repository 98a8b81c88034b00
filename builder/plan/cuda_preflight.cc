#include "builder/plan/cuda_preflight.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>

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

bool IsNvidia(const LockedPackage& package) {
  return package.kind == PackageKind::kWheel &&
         (package.name.starts_with("nvidia-") || package.name == "cuda-toolkit");
}

bool IsDebianCuda(const LockedPackage& package) {
  static constexpr std::array<std::string_view, 12> kStarts = {
      "nvidia-cuda-", "libcudart", "libcublas", "libcufft",  "libcurand", "libcusolver",
      "libcusparse",  "libnpp",    "libnvrtc",  "libnvjpeg", "libcupti",  "libnvjitlink",
  };
  return package.kind == PackageKind::kDeb &&
         std::ranges::any_of(
             kStarts, [&](std::string_view start) { return package.name.starts_with(start); });
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

// Since CUDA 13 the projects have no version in their names: the runtime's is that of all.
std::string PlainMajor(const specs::LockedPlatform& locked) {
  for (const LockedPackage& package : locked.packages) {
    if (package.kind == PackageKind::kWheel && package.name == "nvidia-cuda-runtime") {
      return Major(package.version);
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

std::map<std::string, Share> WheelsByMajor(const specs::LockedPlatform& locked) {
  const std::string plain = PlainMajor(locked);
  std::map<std::string, Share> shares;
  for (const LockedPackage& package : locked.packages) {
    if (!IsNvidia(package)) continue;
    std::string major = MajorInName(package.name);
    if (major.empty()) major = plain;
    if (!major.empty()) Count(package, shares[major]);
  }
  return shares;
}

// "torch and jax", with the spec and its section named as such.
std::string Askers(const Share& share) {
  std::vector<std::string> names;
  for (const std::string& by : share.asked_for) {
    names.push_back(by == "spec" ? "the spec" : by == specs::kCudaRoot ? "[cuda]" : by);
  }
  return names.empty() ? "other packages" : specs::Join(names, ", ");
}

std::string TwoMajors(const std::map<std::string, Share>& shares) {
  std::string text = "libraries of two major versions of CUDA are in the image:";
  for (const auto& [major, share] : shares) {
    text += fmt::format(" {} of CUDA {} ({}, for {}),", specs::Count(share.count, "wheel"), major,
                        share.Size(), Askers(share));
  }
  text.back() = ';';
  return text + " choose cuda.version and releases of these packages for one of them";
}

}  // namespace

CudaPreflight CheckCuda(const specs::Spec& spec, const specs::LockedPlatform& locked) {
  CudaPreflight result;
  const bool on = specs::CudaInForce(spec.cuda, locked.platform);
  const std::map<std::string, Share> wheels = WheelsByMajor(locked);
  Share debian;
  for (const LockedPackage& package : locked.packages) {
    if (IsDebianCuda(package)) Count(package, debian);
  }
  if (on) {
    const std::vector<std::string_view> version = specs::Split(spec.cuda.version, '.');
    result.driver = fmt::format("cuda>={}.{}", version[0], version[1]);
  } else if (!wheels.empty()) {
    result.driver = fmt::format("cuda>={}.0", wheels.rbegin()->first);
  }
  if (wheels.size() > 1) result.warnings.push_back(TwoMajors(wheels));
  Share all;
  for (const auto& [major, share] : wheels) {
    all.count += share.count;
    all.bytes += share.bytes;
    all.asked_for.insert(share.asked_for.begin(), share.asked_for.end());
  }
  if (debian.count > 0 && all.count > 0) {
    result.warnings.push_back(fmt::format(
        "the image has Debian's CUDA ({}, {}) and {} of CUDA ({}, for {}): write provider = "
        "\"pypi\", or choose builds of these packages without CUDA",
        specs::Count(debian.count, "package"), debian.Size(), specs::Count(all.count, "wheel"),
        all.Size(), Askers(all)));
  }
  if (!on && all.count > 0) {
    result.warnings.push_back(fmt::format(
        "CUDA is off, but {} of it ({}) come with {}: where no GPU is meant, take builds without "
        "CUDA from an index that has them ([[python.indexes]])",
        specs::Count(all.count, "wheel"), all.Size(), Askers(all)));
  }
  return result;
}

}  // namespace imgbuild::builder
