// CUDA as Debian has it, whose licence whoever builds has to know of.
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>

#include "tests/whole_build/layout_reader.h"
#include "tests/whole_build/shared_cache_machines.h"

namespace imgbuild::whole_build {
namespace {

constexpr char kSpecWithDebiansCuda[] = R"(format = 1
[image]
name = "app"
platforms = ["linux/amd64"]
[system]
keyring = "archive.gpg"
[python]
version = "3.11"
compile = "none"
[cuda]
enabled = true
version = "11.8"
provider = "debian"
)";

class CudaLicence : public SharedCacheBuild {
 protected:
  CudaLicence() {
    Write("app.toml", kSpecWithDebiansCuda);
    support::MiniDeb toolkit;
    toolkit.name = "nvidia-cuda-toolkit";
    toolkit.version = "11.8.89~11.8.0-5~deb12u1";
    toolkit.component = "non-free";
    toolkit.files["usr/share/doc/nvidia-cuda-toolkit/copyright"] = "Not everyone may.\n";
    support::MiniDeb compiler;
    compiler.name = "nvidia-cuda-toolkit-gcc";
    compiler.component = "contrib";
    compiler.files["usr/share/doc/nvidia-cuda-toolkit-gcc/copyright"] = "Anyone may.\n";
    world_.Republish([&](support::MiniSuite& suite) {
      suite.packages.push_back(toolkit);
      suite.packages.push_back(compiler);
    });
  }

  // How often a quiet build on that machine tells of it.
  std::size_t Told(const std::string& machine, const std::vector<std::string>& options) {
    Invocation run = On(machine, {});
    run.arguments = {"build", "app.toml", "--plain", "-q", "--insecure"};
    run.arguments.insert(run.arguments.end(), options.begin(), options.end());
    const Ended ended = Execute(world_, run);
    EXPECT_EQ(ended.status, 0) << ended.output;
    constexpr std::string_view kNotice = "comes under NVIDIA's licence";
    std::size_t count = 0;
    for (std::size_t at = ended.output.find(kNotice); at != std::string::npos;
         at = ended.output.find(kNotice, at + 1)) {
      ++count;
    }
    return count;
  }
};

TEST_F(CudaLicence, IsToldOnceToWhoeverGetsTheImage) {
  EXPECT_EQ(Told("one", {"--check", "-o", "oci:one.oci", "--push", Reference("app:1")}), 1u);
  EXPECT_EQ(Told("one", {"-o", "oci:one.oci"}), 0u) << "it was there already";
  world_.Restart();
  EXPECT_EQ(Told("two", {"--cache-from", Reference("app:1"), "-o", "oci:two.oci"}), 1u);
  EXPECT_EQ(world_.requests(), 0u) << "it was built again";
  const ReadImage image = ReadLayout(project_ / "two.oci");
  ASSERT_EQ(image.platforms.size(), 1u);
  EXPECT_THAT(image.platforms[0].config.labels,
              testing::Contains(testing::Pair(
                  "imgbuild.cuda.licence", testing::HasSubstr("nvidia-cuda-toolkit/copyright"))));
}

}  // namespace
}  // namespace imgbuild::whole_build
