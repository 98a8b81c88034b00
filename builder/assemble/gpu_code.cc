#include "builder/assemble/gpu_code.h"

#include <algorithm>
#include <cstdint>
#include <tuple>
#include <vector>

#include <fmt/core.h>

#include "specs/base/key.h"
#include "specs/base/text.h"
#include "specs/env/cuda.h"

namespace imgbuild::builder {
namespace {

// Everything that may have GPU code.
specs::Sha256 KeyOf(const specs::LockedPlatform& locked) {
  specs::KeyBuilder key("gpu-code/3");
  for (const specs::LockedPackage& package : locked.packages) {
    if (package.kind == specs::PackageKind::kWheel || package.layer == specs::kCudaRoot) {
      key.Add("package", package.sha256);
    }
  }
  return key.Finish();
}

std::set<std::string> WordsOf(std::string_view line) {
  const std::vector<std::string_view> words = specs::SplitWords(line);
  return {words.begin(), words.end()};
}

constexpr std::string_view kMachineCode = "sm_";
constexpr std::string_view kPtx = "compute_";

// 90 of "sm_90".
std::uint64_t NumberOf(std::string_view code) {
  return specs::ParseUnsigned(code.substr(code.find('_') + 1)).value_or(0);
}

// Whether a package with that code runs where `wanted` does: machine code runs on the later GPUs of
// its generation (sm_80 on sm_86), and PTX on all later ones (CUDA Programming Guide, "Binary
// Compatibility", "PTX Compatibility").
bool RunsOn(const std::vector<std::string>& package, const std::string& wanted) {
  const std::uint64_t gpu = NumberOf(wanted);
  return std::ranges::any_of(package, [&](std::string_view code) {
    if (code == wanted) return true;
    if (!wanted.starts_with(kMachineCode) || NumberOf(code) > gpu) return false;
    return code.starts_with(kPtx) || NumberOf(code) / 10 == gpu / 10;
  });
}

}  // namespace

GpuCode CollectGpuCode(std::span<const ReadyPackage> packages, const specs::LockedPlatform& locked,
                       layers::Store& store) {
  std::vector<const std::vector<std::string>*> all;
  std::set<std::string> names;
  for (const ReadyPackage& package : packages) {
    if (package.facts.gpu_code.empty()) continue;
    all.push_back(&package.facts.gpu_code);
    names.insert(package.facts.gpu_code.begin(), package.facts.gpu_code.end());
  }
  GpuCode code;
  for (const std::string& name : names) {
    const bool every =
        std::ranges::all_of(all, [&](const auto* package) { return RunsOn(*package, name); });
    (every ? code.every : code.some).insert(name);
  }
  if (!all.empty()) {
    store.PutAction(KeyOf(locked),
                    fmt::format("{}\n{}\n", RenderGpuCode(code.every), RenderGpuCode(code.some)));
  }
  return code;
}

std::optional<GpuCode> KnownGpuCode(const specs::LockedPlatform& locked,
                                    const layers::Store& store) {
  const std::optional<std::string> text = store.FindAction(KeyOf(locked));
  if (!text) return std::nullopt;
  const std::vector<std::string_view> lines = specs::Split(*text, '\n');
  if (lines.size() < 2) return std::nullopt;
  return GpuCode{WordsOf(lines[0]), WordsOf(lines[1])};
}

std::string RenderGpuCode(const std::set<std::string>& code) {
  std::vector<std::string> words(code.begin(), code.end());
  std::ranges::sort(words, {}, [](const std::string& word) {
    return std::tuple(!word.starts_with("sm_"), word.size(), word);
  });
  return specs::Join(words, " ");
}

std::string DescribeGpuCode(const GpuCode& code) {
  std::string text = code.every.empty() ? "none in all libraries"
                                        : RenderGpuCode(code.every) + " in all libraries";
  if (!code.some.empty()) text += "; in some also " + RenderGpuCode(code.some);
  return text;
}

}  // namespace imgbuild::builder
