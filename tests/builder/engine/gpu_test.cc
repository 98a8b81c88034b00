#include "builder/engine/gpu.h"

#include <fstream>

#include <gtest/gtest.h>

#include "tests/support/temp_folder.h"

namespace imgbuild::builder {
namespace {

TEST(GpuSpecification, IsOneForNvidiasDevices) {
  const support::TempFolder folder;
  const auto found = [&] { return HasGpuSpecification({"/nonexistent", folder.path()}); };
  EXPECT_FALSE(found());
  std::ofstream(folder.path() / "other.yaml") << "cdiVersion: 0.5.0\nkind: vendor.example/net\n";
  std::ofstream(folder.path() / "notes.txt") << "kind: nvidia.com/gpu\n";
  EXPECT_FALSE(found());
  std::ofstream(folder.path() / "nvidia.json")
      << R"({"cdiVersion":"0.5.0","kind":"nvidia.com/gpu"})";
  EXPECT_TRUE(found());
}

}  // namespace
}  // namespace imgbuild::builder
