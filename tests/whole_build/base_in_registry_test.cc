// Builds on an image in a registry: what of it crosses the network, and when.
#include <filesystem>
#include <fstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "layers/io/file.h"
#include "specs/base/digest.h"
#include "tests/layers/image/tar_maker.h"
#include "tests/support/mini_registry.h"
#include "tests/support/temp_folder.h"
#include "tests/whole_build/layout_reader.h"
#include "tests/whole_build/world.h"

namespace imgbuild::whole_build {
namespace {

namespace fs = std::filesystem;
using layers::TarMaker;
using nlohmann::json;
using testing::HasSubstr;

constexpr std::size_t kBulk = 2'000'000;  // of the base, incompressible

constexpr char kSpec[] = R"(format = 1
[image]
name = "on-base"
platforms = ["linux/amd64"]
[system]
image = "{}"
keyring = "archive.gpg"
[python]
version = "3.11"
packages = ["pip"]
compile = "none"
)";

class BaseInRegistry : public testing::Test {
 protected:
  BaseInRegistry() {
    Write("archive.gpg", world_.public_key());
    // What the spec names is somewhere else, as in a company with a registry of its own.
    Write("registries.conf", fmt::format("[[registry]]\nprefix = \"registry.example\"\n"
                                         "location = \"{}\"\ninsecure = true\n"
                                         "[[registry]]\nlocation = \"{}\"\ninsecure = true\n",
                                         registry_.host(), registry_.host()));
    PushBase();
    WriteSpec("registry.example/base/python:3.11");
  }

  void Write(const std::string& name, const std::string& text) {
    std::ofstream(folder_.path() / name, std::ios::binary) << text;
  }
  void WriteSpec(const std::string& image) {
    Write("on-base.toml", fmt::format(fmt::runtime(kSpec), image));
  }

  void PushBase() {
    const std::string first =
        TarMaker()
            .Directory("etc")
            .File("etc/passwd", "root:x:0:0:root:/root:/bin/bash\n")
            .File("usr/lib/libc.so.6", "GNU C Library stable release version 2.36.\n")
            .Directory("usr/local")
            .Directory("usr/local/bin")
            .File("usr/local/bin/python3.11", "calls its library")
            .File("usr/local/lib/libpython3.11.so.1.0", std::string("\0", 1) + "3.11.9" + '\0')
            .File("bin/bash", "")
            .File("usr/share/bulk", Noise(kBulk, 1))
            .Bytes();
    const std::string second = TarMaker().File("etc/motd", "second").Bytes();
    const std::string config = fmt::format(
        R"({{"os":"linux","architecture":"amd64","config":{{"Env":["PATH=/usr/local/bin:/bin"]}},)"
        R"("rootfs":{{"type":"layers","diff_ids":["{}","{}"]}}}})",
        specs::HashOf(first).Oci(), specs::HashOf(second).Oci());
    TarMaker()
        .File("config.json", config)
        .File("1.tar", first)
        .File("2.tar", second)
        .File("manifest.json",
              R"([{"Config":"config.json","RepoTags":["base:1"],"Layers":["1.tar","2.tar"]}])")
        .WriteTo(folder_.path() / "base.tar");
    const Ended copied = Execute(
        world_, {.folder = folder_.path(),
                 .cache = folder_.path() / "copier",
                 .arguments = {"copy", "docker-archive:base.tar", Reference("base/python:3.11"),
                               "--insecure"},
                 .environment = {}});
    EXPECT_EQ(copied.status, 0) << copied.output;
    const std::string digest = registry_.tags().at("base/python:3.11");
    const json manifest = json::parse(registry_.manifests().at("base/python@" + digest));
    for (const json& layer : manifest["layers"]) base_.push_back(layer["digest"]);
  }

  std::string Reference(const std::string& name) {
    return "docker://" + registry_.host() + "/" + name;
  }

  Ended Build(const std::string& machine, const std::vector<std::string>& options) {
    Invocation run{.folder = folder_.path(),
                   .cache = folder_.path() / machine,
                   .arguments = {"build", "on-base.toml", "--json"},
                   .environment = {{"CONTAINERS_REGISTRIES_CONF",
                                    (folder_.path() / "registries.conf").string()}}};
    run.arguments.insert(run.arguments.end(), options.begin(), options.end());
    return Execute(world_, run);
  }
  json Succeed(const std::string& machine, const std::vector<std::string>& options) {
    const Ended ended = Build(machine, options);
    EXPECT_EQ(ended.status, 0) << ended.output;
    output_ = ended.output;
    const std::size_t end = output_.rfind('}');
    const std::size_t begin = output_.rfind('\n', end);
    return json::parse(output_.substr(begin == std::string::npos ? 0 : begin + 1, end - begin),
                       nullptr, false);
  }

  std::size_t Requests(const std::string& method, const std::string& part) const {
    std::size_t count = 0;
    for (const support::ServedRequest& request : registry_.requests()) {
      count += request.method == method && request.target.find(part) != std::string::npos;
    }
    return count;
  }
  // Bytes that were sent to the registry as blobs so far.
  std::size_t Uploaded() const {
    std::size_t bytes = 0;
    for (const support::ServedRequest& request : registry_.requests()) {
      if (request.target.find("/blobs/uploads/") != std::string::npos) bytes += request.body.size();
    }
    return bytes;
  }
  fs::path InCache(const std::string& machine, const std::string& digest) const {
    return folder_.path() / machine / "blobs/sha256" / digest.substr(7, 2) / digest.substr(7);
  }

  World world_;
  support::MiniRegistry registry_;
  support::TempFolder folder_;
  std::vector<std::string> base_;  // its layers' digests
  std::string output_;
};

// The first thing that a machine does, as in CI: nothing of the base goes back to where it came
// from, whether the spec names its registry as registries.conf does or not.
TEST_F(BaseInRegistry, TheFirstPushMountsItsLayers) {
  for (const std::string host : {std::string("registry.example"), registry_.host()}) {
    WriteSpec(host + "/base/python:3.11");
    const std::string name = "team/app" + std::to_string(host.size());
    const std::size_t before = Uploaded();
    const auto built = Succeed(name.substr(5), {"--push", Reference(name + ":1")});
    EXPECT_EQ(built["pushed"][0]["mounted"], base_.size()) << output_;
    EXPECT_LT(Uploaded() - before, kBulk / 2);
    for (const std::string& layer : base_) {
      EXPECT_TRUE(registry_.blobs().contains(name + "@" + layer)) << layer;
    }
  }
}

// What the cache lacks of the base is no reason to do everything again.
TEST_F(BaseInRegistry, APushThatFailsIsTriedOnce) {
  Succeed("one", {"--push", Reference("team/app:1")});
  for (const std::string& layer : base_) fs::remove(InCache("one", layer));
  registry_.AnswerBy(
      [](std::size_t,
         const support::ServedRequest& request) -> std::optional<support::ServedResponse> {
        if (request.method != "PUT" || request.target.find("/manifests/") == std::string::npos) {
          return std::nullopt;
        }
        return support::ServedResponse{.status = 400, .headers = {}, .body = {}};
      });
  const std::size_t before = Requests("PUT", "/manifests/");
  const Ended failed = Build("one", {"--push", Reference("team/app:2")});
  EXPECT_EQ(failed.status, 1) << failed.output;
  EXPECT_EQ(Requests("PUT", "/manifests/") - before, 1u) << failed.output;
}

}  // namespace
}  // namespace imgbuild::whole_build
