#include "builder/pypi/target.h"

#include <optional>

#include <fmt/core.h>

#include "specs/base/error.h"
#include "specs/base/text.h"

namespace imgbuild::builder {
namespace {

struct KnownPython {
  std::string_view minor;
  std::string_view latest;
};

// Released by November 2026; a Python of two numbers stands for the last of its line.
constexpr KnownPython kKnownPythons[] = {
    {"3.8", "3.8.20"},   {"3.9", "3.9.25"},   {"3.10", "3.10.22"}, {"3.11", "3.11.18"},
    {"3.12", "3.12.16"}, {"3.13", "3.13.18"}, {"3.14", "3.14.10"}, {"3.15", "3.15.2"},
};

}  // namespace

PythonTarget MakeTarget(std::string_view version, const specs::Platform& platform) {
  std::optional<specs::Version> parsed = specs::Version::Parse(version);
  bool bookworm = !parsed || parsed->ReleaseNumber(1) <= 11;
  return MakeTarget(version, platform,
                    bookworm ? specs::TagList::Glibc{2, 36} : specs::TagList::Glibc{2, 41});
}

PythonTarget MakeTarget(std::string_view version, const specs::Platform& platform,
                        specs::TagList::Glibc glibc) {
  std::optional<specs::Version> parsed = specs::Version::Parse(version);
  bool known = parsed && parsed->ReleaseNumber(0) == 3 && parsed->ReleaseNumber(1) >= 2 &&
               parsed->ReleaseNumber(1) < 1000 && specs::Split(version, '.').size() >= 3;
  if (!known) {
    throw specs::Error(specs::ErrorKind::kUsage, "unknown Python version")
        .Found(std::string(version))
        .Expected("a version of CPython 3 such as 3.11.2");
  }
  int minor = static_cast<int>(parsed->ReleaseNumber(1));
  PythonTarget target{*parsed,
                      std::string(version),
                      platform,
                      specs::TagList::ForCpython(minor, platform, glibc),
                      specs::ImageEnvironment(version, platform),
                      ""};
  target.description = fmt::format("CPython {} on {} with glibc {}.{}", version, platform.Render(),
                                   glibc.major, glibc.minor);
  return target;
}

std::string LatestPatch(std::string_view version) {
  for (const KnownPython& known : kKnownPythons) {
    if (known.minor == version) return std::string(known.latest);
  }
  return std::string(version);
}

}  // namespace imgbuild::builder
