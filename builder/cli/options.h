// What every command understands.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "builder/ui/reporters.h"

namespace imgbuild::builder {

enum class ReportStyle { kAutomatic, kPlain, kJson };

struct GlobalOptions {
  std::filesystem::path cache_dir;  // "": by the environment
  Verbosity verbosity = Verbosity::kNormal;
  ReportStyle style = ReportStyle::kAutomatic;
  bool offline = false;
  std::filesystem::path trace;  // "": none is written
  unsigned jobs = 0;            // 0: one for each processor
};

// Whether [[files]], certificates and local wheels that a spec names have to be there: not where it
// is only read.
enum class LocalFiles { kRequired, kIgnored };

// Which spec, and what lies over it.
struct SpecOptions {
  std::vector<std::string> files;      // empty: spec.toml
  std::vector<std::string> settings;   // --set
  std::vector<std::string> platforms;  // --platform; empty: the spec's
  bool no_local = false;
  LocalFiles local_files = LocalFiles::kRequired;
};

}  // namespace imgbuild::builder
