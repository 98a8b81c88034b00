#include "builder/rootless/listen_address.h"

#include <gtest/gtest.h>

#include "specs/env/preset.h"
#include "specs/presets/preset_files.h"

namespace imgbuild::builder {
namespace {

TEST(ListenAddress, IsThatOfCommandsAndVariables) {
  const std::string table =
      "imgbuild-services 2\n"
      "service web\nexec uvicorn\nexec --host\nexec 0.0.0.0\nexec --ip=0.0.0.0\n"
      "env OLLAMA_HOST=0.0.0.0:11434\nannounce not of 0.0.0.0\nexec 10.0.0.0.0 0.0.0.0.1\nend\n";
  EXPECT_EQ(WithAddress(table, kLoopback),
            "imgbuild-services 2\n"
            "service web\nexec uvicorn\nexec --host\nexec 127.0.0.1\nexec --ip=127.0.0.1\n"
            "env OLLAMA_HOST=127.0.0.1:11434\nannounce not of 0.0.0.0\n"
            "exec 10.0.0.0.0 0.0.0.0.1\nend\n");
  EXPECT_EQ(WithAddress(table, kAnyAddress), table);
}

// Of what presets start, nothing listens on an address that is not in its command or variables.
TEST(ListenAddress, IsNamedByEveryPreset) {
  for (const specs::PresetFile& preset : specs::PresetFiles()) {
    EXPECT_NE(preset.text.find(kAnyAddress), std::string_view::npos) << preset.name;
  }
}

}  // namespace
}  // namespace imgbuild::builder
