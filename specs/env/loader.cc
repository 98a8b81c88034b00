#include "specs/env/loader.h"

#include <fmt/core.h>

#include "specs/env/merge.h"
#include "specs/env/spec_reader.h"

namespace imgbuild::specs {
namespace {

std::string WithEnding(std::string_view spec_file, std::string_view ending) {
  constexpr std::string_view kToml = ".toml";
  if (spec_file.ends_with(kToml)) spec_file.remove_suffix(kToml.size());
  return fmt::format("{}{}", spec_file, ending);
}

Spec ReadSpec(const TomlValue& document, SpecReading& reading) {
  TableReader top(document, "", "", reading);
  Spec spec;
  if (auto format = top.Integer("format"); format && *format != 1) {
    top.Note("format",
             fmt::format("format is {}, this version of imgbuild reads format 1", *format),
             "a later imgbuild may read it");
  }
  (void)top.String("extends");
  spec.image = ReadImage(top.Table("image"), reading);
  spec.system = ReadSystem(top.Table("system"), reading);
  spec.python = ReadPython(top.Table("python"), reading);
  spec.cuda = ReadCuda(top.Table("cuda"), reading);
  spec.files = ReadFiles(top);
  spec.artifacts = ReadArtifacts(top);
  spec.services = ReadServices(top.Table("services"), spec.image, reading);
  CheckSuite(spec, top, reading);
  CheckBaseImage(spec, reading);
  CheckTimezone(spec, reading);
  CheckServices(spec, reading);
  CheckPresets(spec, reading);
  CheckLocalFiles(spec, reading);
  return spec;
}

}  // namespace

SourcePosition SpecSources::Where(std::string_view key) const {
  for (;;) {
    auto found = positions.find(key);
    if (found != positions.end()) return found->second;
    std::size_t end = key.find_last_of(".[");
    if (end == std::string_view::npos || end == 0) return {file, 0, 0};
    key = key.substr(0, end);
  }
}

LoadedSpec LoadSpec(const SpecRequest& request) {
  std::set<std::string> files;
  SpecRequest noting = request;
  noting.read_file = [&](const std::string& path) {
    files.insert(path);
    return request.read_file(path);
  };
  SpecReading reading{noting, {}, {}};
  TomlValue document = ReadDocuments(reading);
  // What follows from a document that could not be read would only hide why.
  reading.problems.ThrowIfAny();
  Spec spec = ReadSpec(document, reading);
  reading.problems.ThrowIfAny();
  reading.sources.files = std::move(files);
  return {std::move(spec), std::move(reading.sources)};
}

std::string OverlayPath(std::string_view spec_file) { return WithEnding(spec_file, ".local.toml"); }

std::string LockPath(std::string_view spec_file) { return WithEnding(spec_file, ".lock"); }

std::string LocalLockPath(std::string_view spec_file) {
  return WithEnding(spec_file, ".local.lock");
}

}  // namespace imgbuild::specs
