#include "specs/python/metadata.h"

#include <algorithm>

#include <fmt/core.h>

#include "specs/base/text.h"
#include "specs/python/name.h"

namespace imgbuild::specs {
namespace {

// The header fields of a message, one at a time, folded lines joined by one space.
class FieldReader {
 public:
  explicit FieldReader(std::string_view text) : rest_(text) {
    constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
    if (rest_.starts_with(kByteOrderMark)) rest_.remove_prefix(kByteOrderMark.size());
  }

  // False at the empty line that ends the header. Lines that are no field are passed over.
  bool Next() {
    while (!rest_.empty()) {
      std::string_view line = TakeLine();
      if (line.empty()) return false;
      std::size_t colon = line.find(':');
      name_ = colon == std::string_view::npos ? "" : ToLower(Trim(line.substr(0, colon)));
      value_ = colon == std::string_view::npos ? "" : std::string(Trim(line.substr(colon + 1)));
      first_line_ = value_;
      while (!rest_.empty() && (rest_[0] == ' ' || rest_[0] == '\t')) {
        value_ += value_.empty() ? "" : " ";
        value_ += Trim(TakeLine());
      }
      if (!name_.empty()) return true;
    }
    return false;
  }

  const std::string& name() const { return name_; }
  const std::string& value() const { return value_; }
  // The value without what was folded to it.
  const std::string& first_line() const { return first_line_; }

 private:
  std::string_view TakeLine() {
    std::size_t end = std::min(rest_.find('\n'), rest_.size());
    std::string_view line = rest_.substr(0, end);
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
  }

  std::string_view rest_;
  std::string name_;
  std::string value_;
  std::string first_line_;
};

void AddRequirement(CoreMetadata& metadata, const std::string& value) {
  auto parsed = Requirement::ParseLenient(value);
  if (auto* requirement = std::get_if<Requirement>(&parsed)) {
    metadata.requires_dist.push_back(std::move(*requirement));
  } else {
    metadata.invalid_requires.push_back(value);
  }
}

void SetUnlessUnknown(std::string& field, const std::string& value) {
  if (field.empty() && value != "UNKNOWN") field = value;
}

std::optional<SyntaxError> Take(CoreMetadata& metadata, const FieldReader& field) {
  const std::string& name = field.name();
  const std::string& value = field.value();
  if (name == "metadata-version") {
    metadata.metadata_version = value;
  } else if (name == "name") {
    if (metadata.name.empty()) metadata.name = value;
  } else if (name == "version") {
    if (metadata.version_text.empty()) metadata.version_text = value;
  } else if (name == "summary") {
    SetUnlessUnknown(metadata.summary, value);
  } else if (name == "license-expression") {
    metadata.license = value;
  } else if (name == "license") {
    SetUnlessUnknown(metadata.license, field.first_line());
  } else if (name == "requires-dist") {
    AddRequirement(metadata, value);
  } else if (name == "provides-extra") {
    std::string extra = NormalizeName(value);
    auto& extras = metadata.provides_extra;
    if (std::find(extras.begin(), extras.end(), extra) == extras.end()) extras.push_back(extra);
  } else if (name == "dynamic") {
    metadata.dynamic.push_back(ToLower(value));
  } else if (name == "requires-python" && !value.empty() && value != "UNKNOWN") {
    auto parsed = ParseSpecifierLenient(value);
    if (auto* error = std::get_if<SyntaxError>(&parsed)) {
      return SyntaxError{"Requires-Python: " + error->message, error->position};
    }
    metadata.requires_python = std::get<SpecifierSet>(std::move(parsed));
  }
  return std::nullopt;
}

}  // namespace

bool CoreMetadata::DependenciesAreStatic() const {
  std::optional<Version> format = Version::Parse(metadata_version);
  if (!format || *format < *Version::Parse("2.2")) return false;
  return std::none_of(dynamic.begin(), dynamic.end(), [](const std::string& field) {
    return field == "requires-dist" || field == "provides-extra";
  });
}

std::variant<CoreMetadata, SyntaxError> ParseCoreMetadata(std::string_view text) {
  CoreMetadata metadata;
  FieldReader field(text);
  while (field.Next()) {
    if (auto error = Take(metadata, field)) return *std::move(error);
  }
  if (!IsValidName(metadata.name)) {
    return SyntaxError{fmt::format("Name is missing or none: \"{}\"", metadata.name)};
  }
  std::optional<Version> version = Version::Parse(metadata.version_text);
  if (!version) {
    return SyntaxError{fmt::format("Version is missing or none: \"{}\"", metadata.version_text)};
  }
  metadata.version = *std::move(version);
  std::optional<Version> format = Version::Parse(metadata.metadata_version);
  if (format && format->ReleaseNumber(0) > 2) {
    return SyntaxError{
        fmt::format("Metadata-Version {} is later than 2", metadata.metadata_version)};
  }
  return metadata;
}

}  // namespace imgbuild::specs
