#include <utility>

#include <fmt/core.h>

#include "specs/env/spec_reader.h"

namespace imgbuild::specs {

void CheckLocalFiles(const Spec& spec, SpecReading& reading) {
  const CheckLocal& check_local = reading.request.check_local;
  if (!check_local) return;
  const SpecSources& sources = reading.sources;
  const auto check = [&](const std::string& path, LocalKind kind, const SourcePosition& where) {
    std::string problem = check_local(path, kind);
    if (!problem.empty()) reading.problems.Add(where, std::move(problem));
  };
  for (std::size_t i = 0; i < spec.python.layers.size(); ++i) {
    const std::vector<std::string>& packages = spec.python.layers[i].packages;
    for (std::size_t j = 0; j < packages.size(); ++j) {
      if (!IsLocalWheel(packages[j])) continue;
      check(packages[j], LocalKind::kFile, sources.requirements[i][j]);
    }
  }
  const std::vector<std::string>& certificates = spec.system.certificates;
  for (std::size_t i = 0; i < certificates.size(); ++i) {
    check(certificates[i], LocalKind::kFile,
          sources.Where(fmt::format("system.certificates[{}]", i)));
  }
  for (std::size_t i = 0; i < spec.files.size(); ++i) {
    if (spec.files[i].from.empty()) continue;  // noted already
    check(spec.files[i].from, LocalKind::kFileOrFolder,
          sources.Where(fmt::format("files[{}].from", i)));
  }
}

}  // namespace imgbuild::specs
