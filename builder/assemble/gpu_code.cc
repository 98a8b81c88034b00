#include "builder/assemble/gpu_code.h"

#include <algorithm>
#include <map>
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
  specs::KeyBuilder key("gpu-code/2");
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

}  // namespace

GpuCode CollectGpuCode(std::span<const ReadyPackage> packages, const specs::LockedPlatform& locked,
                       layers::Store& store) {
  std::map<std::string, std::size_t> having;  // code -> packages
  std::size_t all = 0;
  for (const ReadyPackage& package : packages) {
    if (!package.facts.gpu_code.empty()) ++all;
    for (const std::string& code : package.facts.gpu_code) ++having[code];
  }
  GpuCode code;
  for (const auto& [name, count] : having) (count == all ? code.every : code.some).insert(name);
  if (all > 0) {
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
