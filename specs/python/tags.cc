#include "specs/python/tags.h"

#include <algorithm>
#include <cassert>

#include <fmt/core.h>

#include "specs/base/text.h"

namespace imgbuild::specs {
namespace {

// PEP 513, 571 and 599 names of PEP 600's tags.
std::string_view LegacyManylinux(int minor) {
  switch (minor) {
    case 17:
      return "manylinux2014";
    case 12:
      return "manylinux2010";
    case 5:
      return "manylinux1";
    default:
      return "";
  }
}

std::vector<std::string> Platforms(const Platform& platform, TagList::Glibc glibc) {
  const std::string machine(MachineName(platform.architecture));
  const bool amd64 = platform.architecture == Architecture::kAmd64;
  const int oldest = amd64 ? 5 : 17;
  std::vector<std::string> names;
  for (int minor = glibc.major == 2 ? glibc.minor : -1; minor >= oldest; --minor) {
    names.push_back(fmt::format("manylinux_2_{}_{}", minor, machine));
    std::string_view legacy = LegacyManylinux(minor);
    if (!legacy.empty()) names.push_back(fmt::format("{}_{}", legacy, machine));
  }
  names.push_back("linux_" + machine);
  return names;
}

bool AnyOf(const std::vector<std::string>& parts, const std::unordered_set<std::string>& known) {
  return std::any_of(parts.begin(), parts.end(),
                     [&](const std::string& part) { return known.contains(part); });
}

}  // namespace

TagList TagList::ForCpython(int python_minor, const Platform& platform, Glibc glibc) {
  assert(python_minor >= 2);
  const std::vector<std::string> platforms = Platforms(platform, glibc);
  const std::string own = fmt::format("cp3{}", python_minor);
  std::vector<std::string> tags;
  auto add = [&](const std::string& python, std::string_view abi) {
    for (const std::string& name : platforms) {
      tags.push_back(fmt::format("{}-{}-{}", python, abi, name));
    }
  };
  add(own, own);
  add(own, "abi3");
  add(own, "none");
  for (int minor = python_minor - 1; minor >= 2; --minor) add(fmt::format("cp3{}", minor), "abi3");
  std::vector<std::string> generic = {fmt::format("py3{}", python_minor), "py3"};
  for (int minor = python_minor - 1; minor >= 0; --minor) {
    generic.push_back(fmt::format("py3{}", minor));
  }
  for (const std::string& python : generic) add(python, "none");
  tags.push_back(own + "-none-any");
  for (const std::string& python : generic) tags.push_back(python + "-none-any");
  return TagList(std::move(tags));
}

TagList::TagList(std::vector<std::string> tags) : tags_(std::move(tags)) {
  for (std::size_t rank = 0; rank < tags_.size(); ++rank) {
    ranks_.emplace(tags_[rank], rank);
    std::vector<std::string_view> parts = Split(tags_[rank], '-');
    assert(parts.size() == 3);
    pythons_.emplace(parts[0]);
    abis_.emplace(parts[1]);
    platforms_.emplace(parts[2]);
  }
}

std::optional<std::size_t> TagList::Rank(const WheelName& wheel) const {
  std::optional<std::size_t> best;
  if (!AnyOf(wheel.abis, abis_) || !AnyOf(wheel.platforms, platforms_)) return best;
  std::string tag;
  for (const std::string& python : wheel.pythons) {
    if (!pythons_.contains(python)) continue;
    for (const std::string& abi : wheel.abis) {
      if (!abis_.contains(abi)) continue;
      for (const std::string& platform : wheel.platforms) {
        tag = python + '-' + abi + '-' + platform;
        auto found = ranks_.find(tag);
        if (found != ranks_.end() && (!best || found->second < *best)) best = found->second;
      }
    }
  }
  return best;
}

std::string TagList::Explain(const WheelName& wheel) const {
  if (Rank(wheel)) return "fits";
  if (!AnyOf(wheel.platforms, platforms_)) {
    return "needs platform " + Join(wheel.platforms, " or ");
  }
  if (!AnyOf(wheel.pythons, pythons_)) return "needs Python " + Join(wheel.pythons, " or ");
  if (!AnyOf(wheel.abis, abis_)) return "needs ABI " + Join(wheel.abis, " or ");
  return fmt::format("needs Python {} with ABI {}", Join(wheel.pythons, " or "),
                     Join(wheel.abis, " or "));
}

}  // namespace imgbuild::specs
