#include "layers/unpack/wheel_layout.h"

#include <algorithm>
#include <variant>

#include <fmt/format.h>

#include "specs/base/error.h"
#include "specs/base/text.h"
#include "specs/python/metadata.h"
#include "specs/python/name.h"
#include "specs/python/tags.h"

namespace imgbuild::layers {
namespace {

using specs::Error;

constexpr std::uint64_t kMaxMetadata = 16u << 20;

// The one top-level folder "*.dist-info" that holds a WHEEL.
std::string FindDistInfo(const ZipArchive& zip) {
  constexpr std::string_view kEnd = ".dist-info/WHEEL";
  std::string found;
  for (const ZipMember& member : zip.members()) {
    if (!member.name.ends_with(kEnd) || member.directory) continue;
    std::string folder = member.name.substr(0, member.name.rfind('/'));
    if (folder.find('/') != std::string::npos) continue;
    if (!found.empty()) {
      throw Error("the wheel holds more than one distribution")
          .Found(fmt::format("{} and {}", found, folder));
    }
    found = folder;
  }
  if (found.empty()) throw Error("the file is no wheel: it has no .dist-info folder with WHEEL");
  return found;
}

std::string ReadMember(const ZipArchive& zip, ZipReader& reader, const std::string& name) {
  const ZipMember* member = zip.Find(name);
  if (member == nullptr || member->directory) throw Error(fmt::format("the wheel has no {}", name));
  return reader.ReadText(*member, kMaxMetadata);
}

void CheckWheelVersion(std::string_view wheel) {
  constexpr std::string_view kField = "wheel-version:";
  for (std::string_view line : specs::Split(wheel, '\n')) {
    if (!specs::ToLower(line).starts_with(kField)) continue;
    std::string_view version = specs::Trim(line.substr(kField.size()));
    if (version.substr(0, version.find('.')) == "1") return;
    throw Error("the wheel is of a format that this program does not know")
        .Found(fmt::format("Wheel-Version {}", version))
        .Expected("1.x");
  }
  throw Error("the wheel's WHEEL file has no Wheel-Version");
}

void CheckNames(const WheelIdentity& wheel, std::string_view file_name) {
  std::string name = specs::NormalizeName(wheel.name);
  std::string_view folder = wheel.dist_info;
  if (specs::NormalizeName(folder.substr(0, folder.find('-'))) != name &&
      !specs::NormalizeName(folder).starts_with(name + "-")) {
    throw Error("the wheel's METADATA names another project than its .dist-info folder")
        .Found(wheel.name)
        .Expected(wheel.dist_info);
  }
  auto parsed = specs::WheelName::Parse(file_name);
  const auto* expected = std::get_if<specs::WheelName>(&parsed);
  if (expected != nullptr && expected->name != name) {
    throw Error("the wheel's METADATA names another project than its file")
        .Found(wheel.name)
        .Expected(expected->name);
  }
}

}  // namespace

WheelIdentity IdentifyWheel(const ZipArchive& zip, ZipReader& reader, std::string_view file_name) {
  WheelIdentity wheel;
  wheel.dist_info = FindDistInfo(zip);
  std::string_view stem = wheel.dist_info;
  stem.remove_suffix(std::string_view(".dist-info").size());
  wheel.data = fmt::format("{}.data", stem);
  CheckWheelVersion(ReadMember(zip, reader, wheel.dist_info + "/WHEEL"));
  auto parsed = specs::ParseCoreMetadata(ReadMember(zip, reader, wheel.dist_info + "/METADATA"));
  if (const auto* error = std::get_if<specs::SyntaxError>(&parsed)) {
    throw Error("the wheel's METADATA cannot be read").Found(error->message);
  }
  const auto& metadata = std::get<specs::CoreMetadata>(parsed);
  wheel.name = metadata.name;
  wheel.version = metadata.version_text;
  CheckNames(wheel, file_name);
  return wheel;
}

WheelLayout::WheelLayout(const WheelOptions& options, const WheelIdentity& wheel)
    : prefix_(options.prefix),
      site_(fmt::format("{}/lib/python{}/site-packages", options.prefix, options.pyc.python)),
      headers_(fmt::format("{}/include/site/python{}/{}", options.prefix, options.pyc.python,
                           wheel.name)),
      data_(wheel.data + "/") {}

std::string WheelLayout::Script(std::string_view name) const {
  return fmt::format("{}/bin/{}", prefix_, name);
}

WheelTarget WheelLayout::TargetOf(std::string_view member) const {
  if (!member.starts_with(data_)) return {fmt::format("{}/{}", site_, member)};
  std::string_view inside = member.substr(data_.size());
  std::size_t slash = inside.find('/');
  std::string_view scheme = inside.substr(0, slash);
  std::string_view rest = slash == std::string_view::npos ? "" : inside.substr(slash + 1);
  if (!rest.empty()) {
    if (scheme == "purelib" || scheme == "platlib") return {fmt::format("{}/{}", site_, rest)};
    if (scheme == "scripts") return {Script(rest), WheelScheme::kScript};
    if (scheme == "data") return {fmt::format("{}/{}", prefix_, rest), WheelScheme::kData};
    if (scheme == "headers") return {fmt::format("{}/{}", headers_, rest), WheelScheme::kHeader};
  }
  throw Error(fmt::format("the wheel has {}, which belongs to no installation scheme", member))
      .Expected("purelib, platlib, scripts, data or headers");
}

std::string WheelLayout::RecordPath(std::string_view path) const {
  if (path.starts_with(site_ + "/")) return std::string(path.substr(site_.size() + 1));
  // From PREFIX/lib/pythonX.Y/site-packages up to PREFIX.
  return fmt::format("../../../{}", path.substr(prefix_.size() + 1));
}

}  // namespace imgbuild::layers
