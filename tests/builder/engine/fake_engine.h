// An engine of a few lines of shell, which writes down what it is told.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>

#include "builder/engine/engine.h"
#include "layers/io/file.h"
#include "tests/support/temp_folder.h"

namespace imgbuild::builder {

class FakeEngine {
 public:
  // `script` runs after the arguments were written down, one line a call.
  explicit FakeEngine(const std::string& name, const std::string& script) {
    const std::filesystem::path file = folder_.path() / name;
    std::ofstream(file) << "#!/bin/sh\necho \"$@\" >>'" << Log().string() << "'\n"
                        << script << '\n';
    std::filesystem::permissions(file, std::filesystem::perms::owner_all);
  }

  Engine Get(EngineKind kind, const std::string& name) const {
    return {.kind = kind, .program = (folder_.path() / name).string(), .as_root = false};
  }
  std::filesystem::path folder() const { return folder_.path(); }
  // What it was told, one line a call.
  std::string told() const { return layers::ReadFile(Log(), 1u << 20); }

 private:
  std::filesystem::path Log() const { return folder_.path() / "told"; }

  support::TempFolder folder_;
};

}  // namespace imgbuild::builder
