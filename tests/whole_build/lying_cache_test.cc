// A cache that claims what its recipes do not give: believed as long as nobody looks, found by
// --check, and gone from the machine afterwards.
#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include <gmock/gmock.h>

#include "layers/io/file.h"
#include "specs/oci/media_types.h"
#include "tests/whole_build/layout_reader.h"
#include "tests/whole_build/shared_cache_machines.h"

namespace imgbuild::whole_build {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;

class LyingCache : public SharedCacheBuild {
 protected:
  json Manifest(const std::string& name) {
    const std::string repository = name.substr(0, name.rfind(':'));
    return json::parse(registry_.manifests().at(repository + "@" + registry_.tags().at(name)));
  }
  void PutLie(const json& manifest) {
    registry_.PutManifest("team/app", "lie", manifest.dump(), std::string(specs::kOciManifest));
  }

  // What one machine built, as it should be, and what another built of a file that nobody else has.
  void BuildBoth() {
    honest_ = Succeed(On("honest", {"--push", Reference("team/app:honest")}))["digest"];
    Write("app/main.py", "app = 'of somebody else'\n");
    Succeed(On("liar", {"--push", Reference("team/app:liar")}));
    Write("app/main.py", "app = None\n");
  }

  // Whoever believes has the wrong image. Whoever checks sees it and is rid of it.
  void ExpectFoundOut() {
    const std::vector<std::string> from = {"--cache-from", Reference("team/app:lie")};
    const auto with = [&](std::vector<std::string> options) {
      options.insert(options.begin(), from.begin(), from.end());
      return options;
    };
    const auto believed = Succeed(On("victim", with({"-o", "oci:believed.oci"})));
    ASSERT_NE(believed["digest"], honest_) << "no lie that anybody believes: " << output_;
    for (const std::string machine : {"victim", "fresh"}) {
      for (const std::vector<std::string>& options :
           {with({"--check", "-o", "oci:checked.oci"}),
            with({"--check", "--push", Reference("victim/app:1")})}) {
        const Ended checked = Execute(world_, On(machine, options));
        EXPECT_EQ(checked.status, 4) << checked.output;
        EXPECT_THAT(checked.output,
                    AllOf(HasSubstr("gives another image"), HasSubstr("without the --cache-from")));
        EXPECT_FALSE(fs::exists(project_ / "checked.oci"));
        EXPECT_FALSE(registry_.tags().contains("victim/app:1"));
        const std::string output = "oci:" + machine + ".oci";
        const auto plain = Succeed(On(machine, {"-o", output, "--push", Reference("plain:1")}));
        EXPECT_EQ(plain["digest"], honest_) << machine << ": " << output_;
        EXPECT_EQ(registry_.tags().at("plain:1"), honest_);
        EXPECT_NO_THROW(ReadLayout(project_ / (machine + ".oci")));
        // And again, so that each way of checking meets the lie.
        fs::remove_all(folder_.path() / machine);
        if (machine == "victim") Succeed(On("victim", with({"-o", "oci:believed.oci"})));
      }
    }
  }

  std::string honest_;  // the image's digest
};

TEST_F(LyingCache, AnImageUnderAnothersKeyIsFoundOut) {
  BuildBoth();
  json lie = Manifest("team/app:liar");
  lie["annotations"]["imgbuild.image.key"] =
      Manifest("team/app:honest")["annotations"]["imgbuild.image.key"];
  PutLie(lie);
  ExpectFoundOut();
}

TEST_F(LyingCache, ALayerUnderAnothersKeyIsFoundOut) {
  BuildBoth();
  const json honest = Manifest("team/app:honest");
  json lie = Manifest("team/app:liar");
  std::size_t changed = 0;
  for (std::size_t i = 0; i < lie["layers"].size(); ++i) {
    if (lie["layers"][i]["digest"] == honest["layers"][i]["digest"]) continue;
    lie["layers"][i]["annotations"]["imgbuild.layer.key"] =
        honest["layers"][i]["annotations"]["imgbuild.layer.key"];
    ++changed;
  }
  ASSERT_EQ(changed, 1u) << "the user's files";
  PutLie(lie);
  ExpectFoundOut();
}

// What a machine that was lied to made of it, it made itself: layers and image are there whole.
TEST_F(LyingCache, APackageUnderAnothersKeyIsFoundOut) {
  honest_ = Succeed(
      On("honest", {"-o", "oci:honest.oci", "--cache-to", Reference("team/app:honest")}))["digest"];
  const std::string lock = layers::ReadFile(project_ / "app.lock");
  const auto republish = [&](const std::string& content) {
    world_.Republish([&](support::MiniSuite& suite) {
      for (support::MiniDeb& deb : suite.packages) {
        if (deb.name != "tzdata") continue;
        deb.files.erase("usr/share/tzdata.note");
        if (!content.empty()) deb.files["usr/share/tzdata.note"] = content;
      }
    });
  };
  republish("of somebody else");
  fs::remove(project_ / "app.lock");
  Succeed(On("liar", {"-o", "oci:liar.oci", "--cache-to", Reference("team/app:liar")}));
  republish("");
  Write("app.lock", lock);

  const auto keys = [](const json& cache) {
    std::set<std::string> found;
    for (const json& blob : cache["layers"]) {
      found.insert(blob["annotations"]["imgbuild.cache.key"].get<std::string>());
    }
    return found;
  };
  json lie = Manifest("team/app:liar");
  const std::set<std::string> of_liar = keys(lie);
  const std::set<std::string> of_honest = keys(Manifest("team/app:honest"));
  std::vector<std::string> own;
  std::vector<std::string> anothers;
  std::ranges::set_difference(of_liar, of_honest, std::back_inserter(own));
  std::ranges::set_difference(of_honest, of_liar, std::back_inserter(anothers));
  ASSERT_EQ(own.size(), 1u);
  ASSERT_EQ(anothers.size(), 1u);
  for (json& blob : lie["layers"]) {
    json& key = blob["annotations"]["imgbuild.cache.key"];
    if (key == own[0]) key = anothers[0];
  }
  PutLie(lie);
  ExpectFoundOut();
}

}  // namespace
}  // namespace imgbuild::whole_build
