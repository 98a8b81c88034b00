// Builds on an image in a registry: what of it crosses the network, and when.
#include <algorithm>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "layers/io/file.h"
#include "specs/base/digest.h"
#include "specs/oci/media_types.h"
#include "tests/layers/image/tar_maker.h"
#include "tests/support/http_cache.h"
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

constexpr char kSpecOnImage[] = R"(format = 1
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
    base_ = PushBase("3.11", "");
    WriteSpec("registry.example/base/python:3.11");
  }

  void Write(const std::string& name, const std::string& text) {
    std::ofstream(folder_.path() / name, std::ios::binary) << text;
  }
  void WriteSpec(const std::string& image) {
    Write("on-base.toml", fmt::format(fmt::runtime(kSpecOnImage), image));
  }

  // Under that tag, with that user beside root; its layers' digests.
  std::vector<std::string> PushBase(const std::string& tag, const std::string& user) {
    const std::string first =
        TarMaker()
            .Directory("etc")
            .File("etc/passwd", "root:x:0:0:root:/root:/bin/bash\n" + user)
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
    const Ended copied =
        Execute(world_, {.folder = folder_.path(),
                         .cache = folder_.path() / "copier",
                         .arguments = {"copy", "docker-archive:base.tar",
                                       Reference("base/python:" + tag), "--insecure"},
                         .environment = {}});
    EXPECT_EQ(copied.status, 0) << copied.output;
    const json manifest = Manifest("base/python:" + tag);
    std::vector<std::string> layers;
    for (const json& layer : manifest["layers"]) layers.push_back(layer["digest"]);
    return layers;
  }

  json Manifest(const std::string& name) {
    const std::string repository = name.substr(0, name.rfind(':'));
    return json::parse(registry_.manifests().at(repository + "@" + registry_.tags().at(name)));
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
  // How often bytes of the base's layers were asked for.
  std::size_t BaseGets() const {
    std::size_t count = 0;
    for (const std::string& layer : base_) count += Requests("GET", "/blobs/" + layer);
    return count;
  }
  bool HasBase(const std::string& machine) const {
    return std::ranges::any_of(
        base_, [&](const std::string& layer) { return fs::exists(InCache(machine, layer)); });
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
  for (const std::string& host : {std::string("registry.example"), registry_.host()}) {
    WriteSpec(host + "/base/python:3.11");
    const std::string name = "team/app" + std::to_string(host.size());
    const std::size_t before = Uploaded();
    const auto built = Succeed(name.substr(5), {"--push", Reference(name + ":1")});
    EXPECT_EQ(built["pushed"][0]["mounted"], base_.size()) << output_;
    EXPECT_LT(Uploaded() - before, kBulk / 2);
    EXPECT_FALSE(HasBase(name.substr(5))) << "it was to be read, not kept";
    for (const std::string& layer : base_) {
      EXPECT_TRUE(registry_.blobs().contains(name + "@" + layer)) << layer;
    }
  }
}

// Bytes that are here for a layout do not go out before anybody knows where they can be mounted
// from.
TEST_F(BaseInRegistry, SoDoesOneBesideALayout) {
  const std::size_t before = Uploaded();
  const auto built = Succeed("one", {"-o", "oci:one.oci", "--push", Reference("team/app:1")});
  EXPECT_TRUE(HasBase("one"));
  EXPECT_EQ(built["pushed"][0]["mounted"], base_.size()) << output_;
  EXPECT_LT(Uploaded() - before, kBulk / 2);
}

// What the cache lacks of the base is no reason to do everything again.
TEST_F(BaseInRegistry, APushThatFailsIsTriedOnce) {
  Succeed("one", {"--push", Reference("team/app:1")});
  ASSERT_FALSE(HasBase("one"));
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

// A layout takes the bytes, so they come once, to be read and to be written.
TEST_F(BaseInRegistry, ALayoutFetchesItOnce) {
  Succeed("one", {"-o", "oci:one.oci"});
  EXPECT_EQ(BaseGets(), base_.size());
  EXPECT_NO_THROW(ReadLayout(folder_.path() / "one.oci"));
  // Read for a registry first, it comes again for a layout.
  Succeed("two", {"--push", Reference("team/app:1")});
  EXPECT_FALSE(HasBase("two"));
  Succeed("two", {"-o", "oci:two.oci"});
  EXPECT_EQ(layers::ReadFile(folder_.path() / "one.oci/index.json"),
            layers::ReadFile(folder_.path() / "two.oci/index.json"));
  EXPECT_NO_THROW(ReadLayout(folder_.path() / "two.oci"));
}

// What others built on the same base: neither ours nor the base's layers come.
TEST_F(BaseInRegistry, AnUnchangedImageIsTakenWhole) {
  const auto first = Succeed("one", {"--push", Reference("team/app:1")});
  world_.Restart();
  const std::size_t gets = BaseGets();
  const auto second =
      Succeed("two", {"--cache-from", Reference("team/app:1"), "--push", Reference("other/app:1")});
  EXPECT_EQ(second["digest"], first["digest"]) << output_;
  EXPECT_EQ(second["shared"][0]["images"], 1) << output_;
  EXPECT_EQ(world_.requests(), 0u);
  EXPECT_EQ(BaseGets(), gets);
  EXPECT_FALSE(HasBase("two"));
  EXPECT_EQ(registry_.tags().at("other/app:1"), first["digest"]);
  const auto again =
      Succeed("two", {"--cache-from", Reference("team/app:1"), "--push", Reference("other/app:2")});
  EXPECT_EQ(again["digest"], first["digest"]);
  EXPECT_EQ(BaseGets(), gets);

  // Whoever wants bytes gets them, from where they are.
  Succeed("three", {"--cache-from", Reference("team/app:1"), "-o", "oci:three.oci", "-o",
                    "docker-archive:three.tar"});
  EXPECT_EQ(world_.requests(), 0u) << output_;
  Succeed("one", {"-o", "oci:one.oci", "-o", "docker-archive:one.tar"});
  EXPECT_EQ(layers::ReadFile(folder_.path() / "one.oci/index.json"),
            layers::ReadFile(folder_.path() / "three.oci/index.json"));
  EXPECT_EQ(layers::ReadFile(folder_.path() / "one.tar"),
            layers::ReadFile(folder_.path() / "three.tar"));
  EXPECT_NO_THROW(ReadLayout(folder_.path() / "three.oci"));
}

TEST_F(BaseInRegistry, AnHttpCacheHasTheWholeImage) {
  support::HttpCache cache;
  const auto first = Succeed("one", {"--push", Reference("team/app:1"), "--cache-to", cache.url()});
  EXPECT_EQ(first["exported"][0]["failure"], "") << output_;
  world_.Restart();
  const std::size_t gets = BaseGets();
  const auto second =
      Succeed("two", {"--cache-from", cache.url(), "--push", Reference("other/app:1")});
  EXPECT_EQ(second["digest"], first["digest"]) << output_;
  EXPECT_EQ(second["shared"][0]["images"], 1) << output_;
  EXPECT_EQ(BaseGets(), gets);
  EXPECT_EQ(world_.requests(), 0u);
}

// A changed image on an empty machine: what lies in the base others have read.
TEST_F(BaseInRegistry, WhatLiesInItIsShared) {
  support::HttpCache cache;
  for (const std::string& place : {Reference("team/app:cache"), cache.url()}) {
    Succeed("one", {"--push", Reference("team/app:1"), "--cache-to", place});
  }
  const std::string spec = layers::ReadFile(folder_.path() / "on-base.toml");
  Write("on-base.toml", spec + "[image.labels]\nnew = \"1\"\n");
  const auto here = Succeed("one", {"--push", Reference("team/app:2")});
  const std::size_t gets = BaseGets();
  world_.Restart();
  for (const std::string& place : {Reference("team/app:cache"), cache.url()}) {
    const std::string machine = "two" + std::to_string(place.size());
    const auto there = Succeed(machine, {"--cache-from", place, "--push", Reference("team/app:3")});
    EXPECT_EQ(there["digest"], here["digest"]) << output_;
    EXPECT_EQ(there["shared"][0]["listings"], base_.size()) << output_;
    EXPECT_EQ(BaseGets(), gets);
    EXPECT_FALSE(HasBase(machine));
  }
  EXPECT_EQ(world_.requests(), 0u);
}

class LiesOfABase : public BaseInRegistry {
 protected:
  LiesOfABase() {
    const std::string lock = [&] {
      honest_ = Succeed("one", {"--push", Reference("team/app:1"), "--cache-to",
                                Reference("team/app:cache")})["digest"];
      return layers::ReadFile(folder_.path() / "on-base.lock");
    }();
    PushBase("other", "guest:x:1000:0::/:/bin/bash\n");
    WriteSpec("registry.example/base/python:other");
    Succeed("liar",
            {"--push", Reference("team/app:liar"), "--cache-to", Reference("team/app:liarcache")});
    WriteSpec("registry.example/base/python:3.11");
    Write("on-base.lock", lock);
  }

  void PutLie(const json& manifest) {
    registry_.PutManifest("team/app", "lie", manifest.dump(), std::string(specs::kOciManifest));
  }

  std::string honest_;  // the image's digest
};

// An image that claims to be ours and lies on another base is not taken: the lock tells.
TEST_F(LiesOfABase, AnotherBaseUnderAnImagesKeyIsNotTaken) {
  json lie = Manifest("team/app:liar");
  lie["annotations"]["imgbuild.image.key"] =
      Manifest("team/app:1")["annotations"]["imgbuild.image.key"];
  PutLie(lie);
  const auto built =
      Succeed("victim", {"--cache-from", Reference("team/app:lie"), "-o", "oci:victim.oci"});
  EXPECT_EQ(built["digest"], honest_) << output_;
}

// What lies in a layer of the base is believed, and made anew by --check.
TEST_F(LiesOfABase, WrongListingsAreFoundOut) {
  json lie = Manifest("team/app:cache");
  const json liar = Manifest("team/app:liarcache");
  const auto listings = [](const json& cache) {
    std::vector<json> found;
    for (const json& blob : cache["layers"]) {
      if (blob["annotations"]["imgbuild.cache.kind"] == "listing") found.push_back(blob);
    }
    return found;
  };
  // The layer that differs between the bases.
  std::vector<json> own;
  for (const json& blob : listings(liar)) {
    if (std::ranges::none_of(listings(lie), [&](const json& other) {
          return other["annotations"]["imgbuild.cache.key"] ==
                 blob["annotations"]["imgbuild.cache.key"];
        })) {
      own.push_back(blob);
    }
  }
  ASSERT_EQ(own.size(), 1u);
  for (json& blob : lie["layers"]) {
    const json annotations = blob["annotations"];
    if (annotations["imgbuild.cache.kind"] != "listing") continue;
    if (std::ranges::any_of(listings(liar), [&](const json& other) {
          return other["annotations"]["imgbuild.cache.key"] == annotations["imgbuild.cache.key"];
        })) {
      continue;
    }
    blob = own[0];
    blob["annotations"] = annotations;
  }
  PutLie(lie);
  const std::vector<std::string> from = {"--cache-from", Reference("team/app:lie"), "--push",
                                         Reference("victim/app:1")};
  ASSERT_NE(Succeed("victim", from)["digest"], honest_) << "no lie that anybody believes";
  std::vector<std::string> check = from;
  check.push_back("--check");
  for (const std::string machine : {"victim", "fresh"}) {
    const Ended checked = Build(machine, check);
    EXPECT_EQ(checked.status, 4) << checked.output;
    EXPECT_EQ(Succeed(machine, {"--push", Reference("victim/app:2")})["digest"], honest_)
        << output_;
  }
}

}  // namespace
}  // namespace imgbuild::whole_build
