// Several machines, each with a cache of its own, and what they share: a second machine makes and
// fetches only what nobody made before it.
#include <atomic>
#include <functional>

#include <gmock/gmock.h>

#include "layers/io/file.h"
#include "tests/support/http_cache.h"
#include "tests/whole_build/layout_reader.h"
#include "tests/whole_build/shared_cache_machines.h"

namespace imgbuild::whole_build {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

class OnPlatforms : public SharedCacheBuild, public testing::WithParamInterface<std::string> {
 protected:
  OnPlatforms() : SharedCacheBuild(GetParam()) {}
};

TEST_P(OnPlatforms, AnUnchangedImageIsPushedFromAMachineThatHasNothing) {
  const auto first = Succeed(On("one", {"--push", Reference("team/app:1")}));
  const std::size_t gets = BlobGets();
  const std::size_t platforms = first["platforms"].size();
  world_.Restart();
  const auto second = Succeed(
      On("two", {"--cache-from", Reference("team/app:1"), "--push", Reference("team/app:2")}));
  EXPECT_EQ(second["digest"], first["digest"]) << output_;
  EXPECT_EQ(world_.requests(), 0u);
  EXPECT_EQ(BlobGets() - gets, platforms) << "more than the configurations was fetched";
  EXPECT_EQ(second["shared"][0]["images"], 1);
  EXPECT_LT(second["shared"][0]["bytes"], 50'000);
  EXPECT_EQ(registry_.tags().at("team/app:2"), first["digest"]);
  // What was only promised is not in the cache, and no harm there.
  const Ended verified = Execute(
      world_,
      {.folder = project_, .cache = folder_.path() / "two", .arguments = {"cache", "verify"}});
  EXPECT_THAT(verified.output, testing::StartsWith("0 wrong entries"));
}

INSTANTIATE_TEST_SUITE_P(One, OnPlatforms, testing::Values(R"("linux/amd64")"));
INSTANTIATE_TEST_SUITE_P(Two, OnPlatforms, testing::Values(R"("linux/amd64", "linux/arm64")"));

TEST_F(SharedCacheBuild, LayersAreMountedIntoAnotherRepository) {
  const auto first = Succeed(On("one", {"--push", Reference("team/app:1")}));
  const auto second = Succeed(
      On("two", {"--cache-from", Reference("team/app:1"), "--push", Reference("other/app:1")}));
  EXPECT_EQ(registry_.tags().at("other/app:1"), first["digest"]);
  EXPECT_EQ(second["shared"][0]["blobs"], 0) << output_;
  for (const auto& platform : first["platforms"]) {
    for (const auto& layer : platform["layers"]) {
      EXPECT_TRUE(registry_.blobs().contains("other/app@" + layer["digest"].get<std::string>()));
    }
  }
}

// Layers go out to both while the image is built.
TEST_F(SharedCacheBuild, TwoRepositoriesOfARegistryAreSentEachBlobOnce) {
  const auto built =
      Succeed(On("one", {"--push", Reference("team/app:1"), "--push", Reference("other/app:1")}));
  std::size_t sent = 0;
  for (const support::ServedRequest& request : registry_.requests()) {
    if (request.target.find("/blobs/uploads/") != std::string::npos) sent += request.body.size();
  }
  std::size_t size = 0;
  std::size_t blobs = 0;
  for (const auto& [name, bytes] : registry_.blobs()) {
    if (!name.starts_with("team/app@")) continue;
    size += bytes.size();
    ++blobs;
    EXPECT_TRUE(registry_.blobs().contains("other" + name.substr(name.find('/'))));
  }
  EXPECT_EQ(sent, size) << output_;
  EXPECT_EQ(
      built["pushed"][0]["sent"].get<std::size_t>() + built["pushed"][1]["sent"].get<std::size_t>(),
      blobs)
      << output_;
  for (const char* tag : {"team/app:1", "other/app:1"}) {
    EXPECT_EQ(registry_.tags().at(tag), built["digest"]);
  }
}

TEST_F(SharedCacheBuild, AnotherRegistryIsSentWhatItNeeds) {
  const auto first = Succeed(On("one", {"--push", Reference("team/app:1")}));
  support::MiniRegistry other;
  const std::string target = "docker://" + other.host() + "/app:1";
  Succeed(On("two", {"--cache-from", Reference("team/app:1"), "--push", target}));
  EXPECT_EQ(other.tags().at("app:1"), first["digest"]);
  EXPECT_EQ(other.blobs().size(), registry_.blobs().size());
}

TEST_F(SharedCacheBuild, ALayoutGetsTheBytes) {
  const auto first = Succeed(On("one", {"--push", Reference("team/app:1"), "-o", "oci:one.oci"}));
  world_.Restart();
  Succeed(On("two", {"--cache-from", Reference("team/app:1"), "-o", "oci:two.oci"}));
  EXPECT_EQ(world_.requests(), 0u);
  EXPECT_EQ(layers::ReadFile(project_ / "one.oci/index.json"),
            layers::ReadFile(project_ / "two.oci/index.json"));
  EXPECT_NO_THROW(ReadLayout(project_ / "two.oci"));
  // From now on it is there, and nobody is asked.
  const std::size_t asked = registry_.requests().size();
  EXPECT_EQ(Succeed(On("two", {"-o", "oci:two.oci"}))["unchanged"], true);
  EXPECT_EQ(registry_.requests().size(), asked);
}

TEST_F(SharedCacheBuild, AnnotationsOfAPushAreNotTakenOver) {
  Succeed(On("one", {"-o", "oci:one.oci", "--push", Reference("app:1"), "--annotation", "git=1"}));
  const auto plain = Succeed(On("one", {"-o", "oci:plain.oci"}));
  const auto second = Succeed(On("two", {"--cache-from", Reference("app:1"), "-o", "oci:two.oci"}));
  EXPECT_EQ(second["shared"][0]["images"], 1);
  EXPECT_EQ(second["digest"], plain["digest"]);
}

// An edited file moves one layer; the rest is promised. Packages are made to know what they hold.
TEST_P(OnPlatforms, ChangedFilesLeaveTheOtherLayersWhereTheyAre) {
  Succeed(On("one", {"--push", Reference("team/app:1")}));
  Write("app/main.py", "app = 1\n");
  const auto here = Succeed(On("one", {"-o", "oci:one.oci"}));
  const std::size_t gets = BlobGets();
  const auto second = Succeed(
      On("two", {"--cache-from", Reference("team/app:1"), "--push", Reference("team/app:2")}));
  EXPECT_EQ(second["digest"], here["digest"]);
  const std::size_t platforms = second["platforms"].size();
  EXPECT_EQ(BlobGets() - gets, platforms);
  std::size_t layers = 0;
  for (const auto& platform : second["platforms"]) layers += platform["layers"].size();
  EXPECT_EQ(second["shared"][0]["layers"], layers - platforms);
  EXPECT_EQ(registry_.tags().at("team/app:2"), here["digest"]);
}

TEST_F(SharedCacheBuild, ACacheThatIsDownOrWrongCostsAWarning) {
  const auto first = Succeed(On("one", {"--push", Reference("team/app:1"), "-o", "oci:one.oci"}));
  struct Case {
    const char* name;
    support::ServedResponse answer;
  };
  const std::vector<Case> cases = {
      {"500", {.status = 500, .headers = {}, .body = {}}},
      {"403", {.status = 403, .headers = {}, .body = {}}},
      {"page", {.status = 200, .headers = {{"Content-Type", "text/html"}}, .body = "<html>"}},
      {"cut", {.status = 200, .headers = {}, .body = std::string(9999, 'x'), .cut_after = 99}},
      {"huge", {.status = 200, .headers = {}, .body = std::string(9'000'000, ' ')}},
  };
  for (const Case& each : cases) {
    registry_.AnswerBy([&](std::size_t, const support::ServedRequest& request) {
      return request.target.find("/manifests/") != std::string::npos ? std::optional(each.answer)
                                                                     : std::nullopt;
    });
    const auto built =
        Succeed(On(each.name, {"--cache-from", Reference("team/app:1"), "-o", "oci:two.oci"}));
    registry_.AnswerBy({});
    EXPECT_EQ(built["digest"], first["digest"]) << each.name;
    EXPECT_THAT(output_, HasSubstr("is not used any more")) << each.name;
  }
}

// Everything is promised, and nothing of it comes: it is made here.
TEST_F(SharedCacheBuild, BrokenPromisesAreKeptHere) {
  const auto first = Succeed(On("one", {"--push", Reference("team/app:1")}));
  const std::string layer = first["platforms"][0]["layers"][0]["digest"];
  for (const int status : {404, 200}) {
    registry_.AnswerBy(
        [&](std::size_t,
            const support::ServedRequest& request) -> std::optional<support::ServedResponse> {
          if (request.target.find("/blobs/" + layer) == std::string::npos) return std::nullopt;
          return support::ServedResponse{.status = status, .headers = {}, .body = "something else"};
        });
    const auto built =
        Succeed(On(fmt::format("machine{}", status), {"--cache-from", Reference("team/app:1"), "-o",
                                                      fmt::format("oci:{}.oci", status)}));
    EXPECT_EQ(built["digest"], first["digest"]);
    EXPECT_NO_THROW(ReadLayout(project_ / fmt::format("{}.oci", status)));
  }
}

TEST_F(SharedCacheBuild, NothingIsBelievedUnasked) {
  Succeed(On("one", {"--push", Reference("team/app:1")}));
  const std::size_t asked = registry_.requests().size();
  Succeed(On("two", {"-o", "oci:two.oci"}));
  EXPECT_EQ(registry_.requests().size(), asked);
  EXPECT_GT(world_.requests(), 0u);
}

TEST_F(SharedCacheBuild, CheckMakesEverythingItself) {
  Succeed(On("one", {"--push", Reference("team/app:1")}));
  Succeed(On("two", {"--cache-from", Reference("team/app:1"), "-o", "oci:two.oci", "--check"}));
  EXPECT_THAT(output_, HasSubstr("gives the same image"));
}

// What a cache server keeps of one machine's build, of use to another.
class SharedPackages : public SharedCacheBuild {
 protected:
  std::vector<std::string> Places() { return {Reference("team/app:cache"), http_.url()}; }

  support::HttpCache http_;
};

// Facts of all packages come, and the files of those whose layers nobody made; no archive.
TEST_F(SharedPackages, AChangedSpecTakesWhatOthersMade) {
  const auto first = Succeed(On("one", {"--push", Reference("team/app:1"), "--cache-to",
                                        Places()[0], "--cache-to", Places()[1]}));
  for (const auto& exported : first["exported"]) {
    EXPECT_EQ(exported["failure"], "") << output_;
    EXPECT_GT(exported["entries"], 20);
  }
  Write("app/main.py", "app = 1\n");
  const auto here = Succeed(On("one", {"-o", "oci:one.oci"}));
  for (const std::string& place : Places()) {
    world_.Restart();
    const std::string machine = "two" + std::to_string(place.size());
    const auto second = Succeed(On(machine, {"--cache-from", Reference("team/app:1"),
                                             "--cache-from", place, "-o", "oci:two.oci"}));
    EXPECT_EQ(second["digest"], here["digest"]);
    EXPECT_EQ(world_.requests(), 0u) << place;
    EXPECT_GT(second["shared"][1]["packages"], 20) << output_;
    EXPECT_NO_THROW(ReadLayout(project_ / "two.oci"));
    fs::remove_all(project_ / "two.oci");
  }
}

// One package at another version: its archive comes from upstream, the files of those that lie in a
// layer with it from the cache, and nothing else.
TEST_F(SharedPackages, OnePackageThatChangedCostsItselfAndItsLayer) {
  Succeed(On("one", {"--push", Reference("team/app:1"), "--cache-to", Places()[0]}));
  world_.Republish([](support::MiniSuite& suite) {
    suite.date = "Sun, 11 Feb 2024 11:07:25 UTC";
    for (support::MiniDeb& deb : suite.packages) {
      if (deb.name == "tzdata") deb.version = "2024b-1";
    }
  });
  Invocation lock = On("resolver", {});  // whose lists of packages are new
  lock.arguments = {"lock", "app.toml", "--upgrade", "tzdata"};
  const Ended locked = Execute(world_, lock);
  ASSERT_EQ(locked.status, 0) << locked.output;
  ASSERT_THAT(layers::ReadFile(project_ / "app.lock"), HasSubstr("2024b-1")) << locked.output;
  const auto here = Succeed(On("one", {"-o", "oci:one.oci"}));
  std::size_t moved = 0;
  for (const auto& layer : here["platforms"][0]["layers"]) moved += layer["cached"] == false;
  EXPECT_EQ(moved, 2u) << "its own and the state";
  std::atomic<int> archives = 0;
  world_.SetFault([&](const support::ServedRequest& request) {
    archives += request.target.ends_with(".deb") || request.target.ends_with(".whl");
    return std::nullopt;
  });
  const auto second =
      Succeed(On("two", {"--cache-from", Reference("team/app:1"), "--cache-from", Places()[0],
                         "--locked", "--push", Reference("team/app:2")}));
  EXPECT_EQ(second["digest"], here["digest"]);
  EXPECT_EQ(archives, 1);
  std::size_t shared = 0;
  for (const auto& use : second["shared"]) shared += use["layers"].get<std::size_t>();
  EXPECT_EQ(shared, here["platforms"][0]["layers"].size() - 2) << output_;
  EXPECT_LT(second["shared"][1]["blobs"], second["shared"][1]["packages"]) << output_;
}

// Without an image to take layers from, they are put together from the frames that were shared.
TEST_F(SharedPackages, LayersAreMadeOfSharedFrames) {
  Succeed(On("one", {"-o", "oci:one.oci", "--cache-to", Places()[0]}));
  world_.Restart();
  const auto second = Succeed(On("two", {"--cache-from", Places()[0], "-o", "oci:two.oci"}));
  EXPECT_EQ(world_.requests(), 0u);
  EXPECT_EQ(second["shared"][0]["layers"], 0);
  EXPECT_EQ(layers::ReadFile(project_ / "one.oci/index.json"),
            layers::ReadFile(project_ / "two.oci/index.json"));
  // All that came is kept: offline, nothing is missing.
  fs::remove_all(project_ / "two.oci");
  Write("app/main.py", "app = 2\n");
  Succeed(On("two", {"-o", "oci:two.oci", "--offline"}));
}

TEST_F(SharedPackages, AnHttpCacheHasTheWholeImage) {
  const auto first = Succeed(On("one", {"-o", "oci:one.oci", "--cache-to", http_.url()}));
  world_.Restart();
  const std::size_t before = http_.bytes_sent();
  const auto second =
      Succeed(On("two", {"--cache-from", http_.url(), "--push", Reference("app:1")}));
  EXPECT_EQ(second["shared"][0]["images"], 1);
  EXPECT_EQ(second["digest"], first["digest"]);
  EXPECT_EQ(world_.requests(), 0u);
  EXPECT_EQ(registry_.tags().at("app:1"), first["digest"]);
  EXPECT_GT(http_.bytes_sent(), before);
}

// Upstream is gone, and what was locked can be built all the same.
TEST_F(SharedPackages, ArchivesOutliveTheirOrigin) {
  for (const std::string& place : Places()) {
    Succeed(On("one", {"-o", "oci:one.oci", "--cache-to", place, "--cache-archives"}));
  }
  Write("app.toml", fmt::format(kSpec, platforms_) + "[image.labels]\nnew = \"1\"\n");
  world_.Restart();
  world_.SetFault([](const support::ServedRequest&) {
    return support::ServedResponse{.status = 404, .headers = {}, .body = {}};
  });
  for (const std::string& place : Places()) {
    const std::string machine = "two" + std::to_string(place.size());
    // Another compression: no frame that was shared is of use.
    const auto built =
        Succeed(On(machine, {"--cache-from", place, "-o", "oci:two.oci", "--compression", "gzip"}));
    EXPECT_GT(built["shared"][0]["archives"], 20) << output_;
  }
}

TEST_F(SharedPackages, ASecondExportSendsNothing) {
  for (const std::string& place : Places()) {
    Succeed(On("one", {"-o", "oci:one.oci", "--cache-to", place}));
    const auto again = Succeed(On("one", {"-o", "oci:one.oci", "--cache-to", place}));
    EXPECT_EQ(again["exported"][0]["entries"], 0) << output_;
    EXPECT_EQ(again["exported"][0]["bytes"], 0);
  }
}

TEST_F(SharedPackages, WhatCannotBeWrittenCostsAWarning) {
  http_.SetFault([](const support::ServedRequest& request) {
    return request.method == "PUT"
               ? std::optional(support::ServedResponse{.status = 507, .headers = {}, .body = {}})
               : std::nullopt;
  });
  const auto built = Succeed(On("one", {"-o", "oci:one.oci", "--cache-to", http_.url()}));
  EXPECT_THAT(built["exported"][0]["failure"].get<std::string>(), HasSubstr("507"));
  EXPECT_NO_THROW(ReadLayout(project_ / "one.oci"));
  // An image is not overwritten by a cache.
  Succeed(On("one", {"--push", Reference("app:1")}));
  const std::string image = registry_.tags().at("app:1");
  const auto refused = Succeed(On("one", {"-o", "oci:one.oci", "--cache-to", Reference("app:1")}));
  EXPECT_THAT(refused["exported"][0]["failure"].get<std::string>(), HasSubstr("is an image"));
  EXPECT_EQ(registry_.tags().at("app:1"), image);
}

TEST_F(SharedPackages, OfflineNobodyIsAskedOrGivenAnything) {
  Succeed(On("one", {"-o", "oci:one.oci"}));
  const std::size_t asked = registry_.requests().size();
  for (const std::string& place : Places()) {
    const auto built = Succeed(On("one", {"-o", "oci:one.oci", "--offline", "--cache-from", place,
                                          "--cache-to", place, "--cache-archives"}));
    EXPECT_THAT(built["exported"][0]["failure"].get<std::string>(), HasSubstr("--offline"));
    EXPECT_THAT(output_, HasSubstr("was not written"));
  }
  EXPECT_EQ(registry_.requests().size(), asked);
  EXPECT_THAT(http_.content(), IsEmpty());
}

// Logins that cannot be had are trouble of the cache, not of the build.
TEST_F(SharedPackages, ABrokenAuthFileCostsAWarning) {
  Write("auth.json", "{");
  Invocation run = On("one", {"-o", "oci:one.oci", "--cache-from", Places()[0], "--cache-to",
                              Places()[0], "--cache-to", Places()[1]});
  run.environment = {{"REGISTRY_AUTH_FILE", (project_ / "auth.json").string()}};
  const auto built = Succeed(run);
  EXPECT_THAT(output_, HasSubstr("is not used"));
  EXPECT_THAT(built["exported"][0]["failure"].get<std::string>(), HasSubstr("auth.json"));
  EXPECT_EQ(built["exported"][1]["failure"], "");
  EXPECT_NO_THROW(ReadLayout(project_ / "one.oci"));
}

TEST_F(SharedPackages, CredentialsAreSentAndNeverShown) {
  std::atomic<int> refused = 0;
  http_.SetFault(
      [&](const support::ServedRequest& request) -> std::optional<support::ServedResponse> {
        const auto found = request.headers.find("authorization");
        if (found != request.headers.end() && found->second == "Bearer hush-token")
          return std::nullopt;
        ++refused;
        return support::ServedResponse{.status = 401, .headers = {}, .body = "who are you?"};
      });
  std::string variable = "IMGBUILD_CACHE_" + http_.url().substr(7);
  for (char& c : variable) c = c == '.' || c == ':' ? '_' : c;
  const std::string url = "http://somebody:hush-word@" + http_.url().substr(7);
  Invocation run = On("one", {"-v", "-o", "oci:one.oci", "--cache-to", url});
  run.environment = {{variable + "_TOKEN", "hush-token"}};
  EXPECT_EQ(Succeed(run)["exported"][0]["failure"], "");
  EXPECT_EQ(refused, 0);
  EXPECT_THAT(output_, testing::Not(HasSubstr("hush")));
  // Without them, and with a place that is no place: neither shows what the URL had.
  Succeed(On("two", {"-v", "-o", "oci:two.oci", "--cache-from", url, "--cache-to", url}));
  EXPECT_GT(refused, 0);
  EXPECT_THAT(output_, HasSubstr("answers 401"));
  EXPECT_THAT(output_, testing::Not(HasSubstr("hush")));
}

// Whatever a cache answers, the image is the right one.
TEST_F(SharedPackages, LiesOfAnHttpCacheChangeNothing) {
  const auto first = Succeed(On("one", {"-o", "oci:one.oci", "--cache-to", http_.url()}));
  const std::map<std::string, std::string> honest = http_.content();
  using Lie = std::function<std::string(const std::string& path, const std::string& bytes)>;
  const std::vector<std::pair<const char*, Lie>> lies = {
      {"flipped",
       [](const std::string& path, std::string bytes) {
         if (path.starts_with("/cas/") && !bytes.empty()) bytes[bytes.size() / 2] ^= 1;
         return bytes;
       }},
      {"shorter",
       [](const std::string& path, const std::string& bytes) {
         return path.starts_with("/cas/") ? bytes.substr(0, bytes.size() / 2) : bytes;
       }},
      {"longer",
       [](const std::string& path, const std::string& bytes) {
         return path.starts_with("/cas/") ? bytes + std::string(1 << 20, 'x') : bytes;
       }},
      {"noise",
       [](const std::string&, const std::string& bytes) {
         return Noise(bytes.size(), static_cast<std::uint32_t>(bytes.size()));
       }},
      {"empty", [](const std::string&, const std::string&) { return std::string(); }},
      {"cutactions",
       [](const std::string& path, const std::string& bytes) {
         return path.starts_with("/ac/") ? bytes.substr(0, bytes.size() - 3) : bytes;
       }},
  };
  for (const auto& [name, lie] : lies) {
    http_.SetFault([&, &lie = lie](const support::ServedRequest& request)
                       -> std::optional<support::ServedResponse> {
      const auto found = honest.find(request.target);
      if (found == honest.end()) return std::nullopt;
      return support::ServedResponse{
          .status = 200, .headers = {}, .body = lie(found->first, found->second)};
    });
    const auto built =
        Succeed(On(name, {"--cache-from", http_.url(), "-o", std::string("oci:") + name + ".oci"}));
    http_.SetFault({});
    EXPECT_EQ(built["digest"], first["digest"]) << name;
    EXPECT_NO_THROW(ReadLayout(project_ / (std::string(name) + ".oci"))) << name;
  }
}

// The same in a registry that has packages alone: the more is gone, the more is made here.
TEST_F(SharedPackages, EvictedFilesOfPackagesAreMadeHere) {
  const auto first = Succeed(On("one", {"-o", "oci:one.oci", "--cache-to", Places()[0]}));
  for (const std::size_t every : {2, 3, 7}) {
    std::size_t count = 0;
    registry_.AnswerBy(
        [&](std::size_t,
            const support::ServedRequest& request) -> std::optional<support::ServedResponse> {
          if (request.target.find("/blobs/sha256:") == std::string::npos) return std::nullopt;
          if (++count % every != 0) return std::nullopt;
          return support::ServedResponse{.status = 404, .headers = {}, .body = {}};
        });
    const std::string name = "two" + std::to_string(every);
    const auto built =
        Succeed(On(name, {"--cache-from", Places()[0], "-o", "oci:" + name + ".oci"}));
    registry_.AnswerBy({});
    EXPECT_EQ(built["digest"], first["digest"]);
    EXPECT_GT(count, every);
    EXPECT_NO_THROW(ReadLayout(project_ / (name + ".oci")));
  }
}

// Blobs that the server dropped, of entries that it kept.
TEST_F(SharedPackages, EvictedBlobsAreMadeHere) {
  const auto first = Succeed(On("one", {"-o", "oci:one.oci", "--cache-to", http_.url()}));
  std::size_t count = 0;
  http_.SetFault(
      [&](const support::ServedRequest& request) -> std::optional<support::ServedResponse> {
        if (!request.target.starts_with("/cas/") || ++count % 3 != 0) return std::nullopt;
        return support::ServedResponse{.status = 404, .headers = {}, .body = {}};
      });
  const auto built = Succeed(On("two", {"--cache-from", http_.url(), "-o", "oci:two.oci"}));
  EXPECT_EQ(built["digest"], first["digest"]);
  EXPECT_NO_THROW(ReadLayout(project_ / "two.oci"));
}

}  // namespace
}  // namespace imgbuild::whole_build
