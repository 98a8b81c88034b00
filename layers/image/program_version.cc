#include "layers/image/program_version.h"

#include <fmt/core.h>

#include "layers/tree/path.h"

namespace imgbuild::layers {
namespace {

constexpr std::string_view kDigits = "0123456789";

// "3.11" of "python3.11" and "libpython3.11.so.1.0"; "" for other names.
std::string_view MinorOf(std::string_view name) {
  const bool library = name.starts_with("lib");
  if (library) name.remove_prefix(3);
  if (!name.starts_with("python3.")) return {};
  name.remove_prefix(6);
  const std::size_t end = name.find_first_not_of(kDigits, 2);
  const std::string_view minor = name.substr(0, end);
  const std::string_view rest = end == std::string_view::npos ? "" : name.substr(end);
  if (minor.size() < 3 || (library ? !rest.starts_with(".so") : !rest.empty())) return {};
  return minor;
}

bool IsGlibc(std::string_view name) {
  return name == "libc.so.6" || (name.starts_with("libc-2.") && name.ends_with(".so"));
}

// A C string that begins with the minor version, a dot and a number.
std::optional<std::string> PythonVersion(std::string_view minor, std::string_view content) {
  const std::string begin = fmt::format("{}.", minor);
  for (std::size_t at = content.find(begin); at != std::string_view::npos;
       at = content.find(begin, at + 1)) {
    if (at == 0 || content[at - 1] != '\0') continue;
    const std::size_t digits = content.find_first_not_of(kDigits, at + begin.size());
    if (digits == std::string_view::npos || digits == at + begin.size()) continue;
    const std::string_view rest = content.substr(digits, 8);
    // "3.13.0rc2", "3.11.2+": the version alone, where nothing but its end follows.
    const std::size_t end = rest.find('\0');
    if (end == std::string_view::npos) continue;
    const std::string_view suffix = rest.substr(0, end);
    const bool pre = suffix.starts_with('a') || suffix.starts_with('b') || suffix.starts_with("rc");
    if (!suffix.empty() && suffix != "+" && !pre) continue;
    return std::string(content.substr(at, digits - at)) + std::string(pre ? suffix : "");
  }
  return std::nullopt;
}

std::optional<std::string> GlibcVersion(std::string_view content) {
  constexpr std::string_view kBanner = " release version ";
  const std::size_t at = content.find(kBanner);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view version = content.substr(at + kBanner.size(), 16);
  const std::size_t dot = version.find('.');
  if (dot == 0 || dot == std::string_view::npos) return std::nullopt;
  const std::size_t end = version.find_first_not_of(kDigits, dot + 1);
  if (version.find_first_not_of(kDigits) != dot || end == dot + 1) return std::nullopt;
  return std::string(version.substr(0, end));
}

}  // namespace

ProgramKind ProgramKindOf(std::string_view path) {
  const std::string_view name = BaseName(path);
  if (IsGlibc(name)) return ProgramKind::kGlibc;
  return MinorOf(name).empty() ? ProgramKind::kOther : ProgramKind::kPython;
}

std::optional<std::string> ProgramVersion(ProgramKind kind, std::string_view path,
                                          std::string_view content) {
  switch (kind) {
    case ProgramKind::kPython:
      return PythonVersion(MinorOf(BaseName(path)), content);
    case ProgramKind::kGlibc:
      return GlibcVersion(content);
    case ProgramKind::kOther:
      break;
  }
  return std::nullopt;
}

}  // namespace imgbuild::layers
