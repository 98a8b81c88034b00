#include <algorithm>
#include <limits>

#include <fmt/core.h>

#include "specs/base/text.h"
#include "specs/python/name.h"
#include "specs/python/python_text.h"
#include "specs/python/tags.h"

namespace imgbuild::specs {
namespace {

constexpr std::string_view kExtension = ".whl";

bool IsEscapedName(std::string_view name) {
  if (name.empty() || name.find("__") != std::string_view::npos) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return IsAsciiAlnum(c) || c == '_' || c == '.' || static_cast<unsigned char>(c) >= 0x80;
  });
}

std::optional<WheelName::Build> ParseBuild(std::string_view text) {
  std::size_t digits = 0;
  while (digits < text.size() && IsAsciiDigit(text[digits])) ++digits;
  if (digits == 0) return std::nullopt;
  constexpr auto kMost = std::numeric_limits<std::uint64_t>::max();
  return WheelName::Build{ParseUnsigned(text.substr(0, digits)).value_or(kMost),
                          std::string(text.substr(digits))};
}

bool IsIdentifier(std::string_view text) {
  if (text.empty() || IsAsciiDigit(text[0])) return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return IsAsciiAlnum(c) || c == '_' || static_cast<unsigned char>(c) >= 0x80;
  });
}

// "py2.py3" taken apart, in lower case; empty where a part is.
std::vector<std::string> SplitTag(std::string_view text) {
  std::vector<std::string> parts;
  for (std::string_view part : Split(text, '.')) {
    if (StripPythonSpace(part).empty()) return {};
    parts.push_back(ToLower(part));
  }
  return parts;
}

SyntaxError Invalid(std::string_view file_name, std::string_view part, std::string_view reason) {
  return {fmt::format("\"{}\" is no wheel's file name: {}", file_name, reason),
          part.empty() ? 0 : static_cast<std::size_t>(part.data() - file_name.data())};
}

}  // namespace

std::variant<WheelName, SyntaxError> WheelName::Parse(std::string_view file_name) {
  if (!file_name.ends_with(kExtension)) return Invalid(file_name, "", "it does not end in .whl");
  std::vector<std::string_view> parts =
      Split(file_name.substr(0, file_name.size() - kExtension.size()), '-');
  if (parts.size() != 5 && parts.size() != 6) {
    return Invalid(file_name, "", fmt::format("it has {} parts instead of 5 or 6", parts.size()));
  }
  WheelName wheel;
  if (!IsEscapedName(parts[0])) return Invalid(file_name, parts[0], "the name is none");
  wheel.name = NormalizeName(parts[0]);
  std::optional<Version> version = Version::Parse(parts[1]);
  if (!version) return Invalid(file_name, parts[1], "the version is none");
  wheel.version = *std::move(version);
  if (parts.size() == 6) {
    wheel.build = ParseBuild(parts[2]);
    if (!wheel.build) return Invalid(file_name, parts[2], "the build tag begins with no digit");
  }
  std::size_t tags = parts.size() - 3;
  wheel.pythons = SplitTag(parts[tags]);
  wheel.abis = SplitTag(parts[tags + 1]);
  wheel.platforms = SplitTag(parts[tags + 2]);
  if (wheel.abis.empty() || wheel.platforms.empty() || wheel.pythons.empty() ||
      !std::all_of(wheel.pythons.begin(), wheel.pythons.end(), IsIdentifier)) {
    return Invalid(file_name, parts[tags], "a tag is empty or none");
  }
  return wheel;
}

std::optional<Version> SdistVersion(std::string_view file_name, std::string_view project) {
  for (std::string_view extension : {".tar.gz", ".zip"}) {
    if (!file_name.ends_with(extension)) continue;
    std::string_view stem = file_name.substr(0, file_name.size() - extension.size());
    const std::string wanted = NormalizeName(project);
    // An old name may hold "-" itself, and so may a version: the first split that fits both.
    for (std::size_t dash = stem.find('-'); dash != std::string_view::npos;
         dash = stem.find('-', dash + 1)) {
      if (NormalizeName(stem.substr(0, dash)) != wanted) continue;
      if (auto version = Version::Parse(stem.substr(dash + 1))) return version;
    }
  }
  return std::nullopt;
}

}  // namespace imgbuild::specs
