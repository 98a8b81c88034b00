#include "builder/assemble/gpu_code.h"

#include <algorithm>
#include <tuple>
#include <vector>

#include "specs/base/key.h"
#include "specs/base/text.h"

namespace imgbuild::builder {
namespace {

specs::Sha256 KeyOf(const specs::LockedPlatform& locked) {
  specs::KeyBuilder key("gpu-code/1");
  for (const specs::LockedPackage& package : locked.packages) {
    if (package.kind == specs::PackageKind::kWheel) key.Add("wheel", package.sha256);
  }
  return key.Finish();
}

}  // namespace

std::set<std::string> CollectGpuCode(std::span<const ReadyPackage> packages,
                                     const specs::LockedPlatform& locked, layers::Store& store) {
  std::set<std::string> code;
  for (const ReadyPackage& package : packages) {
    code.insert(package.facts.gpu_code.begin(), package.facts.gpu_code.end());
  }
  if (!code.empty()) store.PutAction(KeyOf(locked), RenderGpuCode(code) + "\n");
  return code;
}

std::optional<std::set<std::string>> KnownGpuCode(const specs::LockedPlatform& locked,
                                                  const layers::Store& store) {
  const std::optional<std::string> text = store.FindAction(KeyOf(locked));
  if (!text) return std::nullopt;
  const std::vector<std::string_view> words = specs::SplitWords(*text);
  return std::set<std::string>(words.begin(), words.end());
}

std::string RenderGpuCode(const std::set<std::string>& code) {
  std::vector<std::string> words(code.begin(), code.end());
  std::ranges::sort(words, {}, [](const std::string& word) {
    return std::tuple(!word.starts_with("sm_"), word.size(), word);
  });
  return specs::Join(words, " ");
}

}  // namespace imgbuild::builder
