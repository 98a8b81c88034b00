#include "builder/assemble/layer_stage.h"

#include <fstream>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "builder/assemble/recipe_annotations.h"
#include "layers/io/archive.h"
#include "layers/io/file.h"
#include "layers/write/frame.h"
#include "specs/base/error.h"
#include "tests/support/quiet_progress.h"
#include "tests/support/temp_folder.h"

namespace imgbuild::builder {
namespace {

namespace fs = std::filesystem;
using layers::ContentTree;
using layers::MakeFile;
using specs::Error;
using testing::ElementsAre;
using testing::HasSubstr;

// Layers of trees alone, each an owner of its own.
// Promises what others made, and has no bytes of it.
class RememberedLayers : public SharedCache {
 public:
  void Remember(const std::vector<MadeLayer>& layers) {
    for (const MadeLayer& made : layers) {
      const layers::ImageLayer& layer = made.layer;
      known_[LayerRecipeOf(layer.descriptor.annotations)->key] = {
          layer.descriptor.digest, layer.descriptor.size, layer.diff_id, layer.plain_size};
    }
  }
  std::optional<std::vector<SharedPlatform>> FindImage(const specs::Sha256&) override { return {}; }
  std::optional<layers::LayerInfo> FindLayer(const specs::Sha256& key) override {
    const auto found = known_.find(key);
    return found == known_.end() ? std::nullopt : std::optional(found->second);
  }
  std::vector<std::optional<std::string>> FindPackages(const std::vector<specs::Sha256>& keys,
                                                       std::string_view) override {
    return std::vector<std::optional<std::string>>(keys.size());
  }
  std::vector<std::optional<std::string>> FindListings(
      const std::vector<specs::Sha256>& keys) override {
    return std::vector<std::optional<std::string>>(keys.size());
  }
  bool FetchBlobs(const std::vector<specs::Descriptor>&, layers::Store&) override { return false; }
  bool FetchFrames(const std::vector<layers::FrameRecord>&, layers::Store&) override {
    return false;
  }
  void FetchArchives(const std::vector<specs::Sha256>&, layers::Store&) override {}

 private:
  std::map<specs::Sha256, layers::LayerInfo> known_;
};

class LayerStage : public testing::Test {
 protected:
  LayerContent& Add(const std::string& name, ContentTree tree) {
    trees_.push_back(std::make_unique<ContentTree>(std::move(tree)));
    inputs_.push_back({name, trees_.back().get()});
    LayerContent content;
    content.name = name;
    content.owners = {static_cast<layers::OwnerId>(inputs_.size() - 1)};
    content.files = trees_.back().get();
    contents_.push_back(std::move(content));
    return contents_.back();
  }

  std::vector<MadeLayer> Make(std::size_t threads = 2,
                              layers::Compression compression = layers::Compression::kZstd) {
    return MakeIn(store_, threads, compression);
  }

  std::vector<MadeLayer> MakeIn(layers::Store& store, std::size_t threads = 2,
                                layers::Compression compression = layers::Compression::kZstd) {
    const layers::TreeUnion united = layers::UniteTrees(inputs_);
    layers::ThreadExecutor executor(threads);
    const auto codec = layers::MakeCodec(compression);
    return MakeLayers(contents_, united.tree,
                      {.store = store,
                       .codec = *codec,
                       .executor = executor,
                       .progress = progress_,
                       .listener = {},
                       .shared = shared_});
  }

  ContentTree OnDisk(const std::string& path, const std::string& content) {
    const fs::path file = folder_.path() / "file";
    std::ofstream(file, std::ios::binary) << content;
    layers::ContentFile entry = MakeFile(content);
    entry.content.clear();
    entry.disk_path = file.string();
    return {{path, entry}};
  }

  // path -> content of a layer's blob; directories end in a slash. Checks digest, size and diff id.
  std::map<std::string, std::string> Read(const MadeLayer& made) {
    const specs::Descriptor& descriptor = made.layer.descriptor;
    const auto path = store_.FindBlob(descriptor.digest, descriptor.size);
    EXPECT_TRUE(path.has_value()) << made.name;
    const std::string blob = layers::ReadFile(*path);
    EXPECT_EQ(specs::HashOf(blob), descriptor.digest);
    layers::MemorySource bytes(blob);
    const std::string tar = layers::ReadAll(*layers::Decompressed(bytes));
    EXPECT_EQ(specs::HashOf(tar), made.layer.diff_id);
    EXPECT_EQ(tar.size(), made.layer.plain_size);
    std::map<std::string, std::string> files;
    layers::ArchiveReader reader(tar, layers::ArchiveFormat::kTar);
    while (auto entry = reader.Next()) {
      files[entry->path] = layers::ReadAll(reader.Data());
    }
    return files;
  }

  std::string Failure() {
    try {
      Make();
    } catch (const Error& error) {
      return error.what();
    }
    ADD_FAILURE() << "no failure";
    return "";
  }

  support::TempFolder folder_;
  layers::Store store_{folder_.path() / "cache"};
  SharedCache* shared_ = nullptr;
  support::QuietProgress progress_;
  std::vector<std::unique_ptr<ContentTree>> trees_;
  std::vector<layers::TreeInput> inputs_;
  std::vector<LayerContent> contents_;
};

TEST_F(LayerStage, LayersHoldTheirFilesAndAllDirectoriesAbove) {
  Add("files", {{"srv/app/main.py", MakeFile("print()")}, {"srv/app/l", layers::MakeSymlink("x")}});
  const std::vector<MadeLayer> made = Make();
  ASSERT_EQ(made.size(), 1u);
  EXPECT_TRUE(made[0].made);
  EXPECT_EQ(made[0].name, "files");
  EXPECT_EQ(made[0].layer.created_by, "imgbuild: files");
  EXPECT_EQ(made[0].layer.descriptor.media_type, "application/vnd.oci.image.layer.v1.tar+zstd");
  const auto files = Read(made[0]);
  EXPECT_EQ(files.at("srv/app/main.py"), "print()");
  EXPECT_TRUE(files.contains("srv/"));
  EXPECT_TRUE(files.contains("srv/app/"));
  EXPECT_TRUE(files.contains("srv/app/l"));
  EXPECT_EQ(files.size(), 4u);
}

TEST_F(LayerStage, FindsWhatItMadeWhateverItIsCalled) {
  Add("files", {{"a", MakeFile("1")}});
  const std::vector<MadeLayer> first = Make();
  contents_[0].name = "other";
  const std::vector<MadeLayer> again = Make();
  EXPECT_FALSE(again[0].made);
  EXPECT_EQ(again[0].layer.descriptor, first[0].layer.descriptor);
  EXPECT_EQ(again[0].layer.diff_id, first[0].layer.diff_id);
  EXPECT_EQ(again[0].layer.created_by, "imgbuild: other");
}

TEST_F(LayerStage, MakesALayerAgainWhoseBlobIsGoneOrShort) {
  Add("files", {{"a", MakeFile("1")}});
  const std::vector<MadeLayer> first = Make();
  const auto path = store_.paths().Blob(first[0].layer.descriptor.digest);
  fs::resize_file(path, 3);
  EXPECT_TRUE(Make()[0].made);
  fs::remove(path);
  const std::vector<MadeLayer> third = Make();
  EXPECT_TRUE(third[0].made);
  EXPECT_EQ(third[0].layer.descriptor, first[0].layer.descriptor);
  Read(third[0]);
}

TEST_F(LayerStage, EachDifferenceOfANodeIsAnotherLayer) {
  std::vector<layers::ContentFile> variants = {MakeFile("1"),
                                               MakeFile("2"),
                                               MakeFile("1", 0755),
                                               MakeFile("1", 0644, 1000),
                                               MakeFile("1", 0644, 0, 5),
                                               layers::MakeSymlink("1"),
                                               layers::MakeSymlink("2")};
  variants.push_back(MakeFile("1"));
  variants.back().node.mtime += 1;
  std::set<std::string> digests;
  for (const layers::ContentFile& variant : variants) {
    contents_.clear();
    inputs_.clear();
    Add("files", {{"a", variant}});
    const MadeLayer made = Make().at(0);
    EXPECT_TRUE(made.made);
    digests.insert(made.layer.diff_id.Hex());
  }
  EXPECT_EQ(digests.size(), variants.size());
}

TEST_F(LayerStage, TheNumberOfThreadsChangesNoByte) {
  std::string large(3 << 20, '\0');
  for (std::size_t i = 0; i < large.size(); ++i) large[i] = static_cast<char>(i * i >> 7);
  Add("one", {{"a/large", MakeFile(large)}});
  for (int i = 0; i < 10; ++i) {
    Add("more" + std::to_string(i), {{"b/" + std::to_string(i), MakeFile(std::string(99, 'x'))}});
  }
  for (auto compression : {layers::Compression::kZstd, layers::Compression::kGzip}) {
    const std::vector<MadeLayer> one = Make(1, compression);
    fs::remove_all(folder_.path() / "cache" / "actions");
    fs::remove_all(store_.paths().Blob(one[0].layer.descriptor.digest).parent_path().parent_path());
    const std::vector<MadeLayer> many = Make(8, compression);
    for (std::size_t i = 0; i < one.size(); ++i) {
      EXPECT_TRUE(many[i].made);
      EXPECT_EQ(one[i].layer.descriptor, many[i].layer.descriptor);
      Read(many[i]);
    }
  }
}

TEST_F(LayerStage, ReadsFilesFromTheDisk) {
  const std::string content(1'500'000, 'z');
  Add("files", OnDisk("srv/data", content));
  EXPECT_EQ(Read(Make().at(0)).at("srv/data"), content);
}

// Else the layer would be kept under the digest of what was there before.
TEST_F(LayerStage, RefusesFilesThatChangedSinceTheyWereRead) {
  Add("files", OnDisk("srv/data", "before"));
  std::ofstream(folder_.path() / "file") << "after!";
  EXPECT_THAT(Failure(), HasSubstr("changed while the image was built"));
  std::ofstream(folder_.path() / "file") << "of another size";
  EXPECT_THAT(Failure(), HasSubstr((folder_.path() / "file").string()));
  fs::remove(folder_.path() / "file");
  EXPECT_THAT(Failure(), HasSubstr((folder_.path() / "file").string()));
  std::ofstream(folder_.path() / "file") << "before";
  EXPECT_TRUE(Make().at(0).made);
}

TEST_F(LayerStage, OneFailureEndsAllAndLeavesNothingUnfinished) {
  for (int i = 0; i < 20; ++i) {
    Add("layer" + std::to_string(i), {{std::to_string(i), MakeFile(std::string(5000, 'x'))}});
  }
  Add("bad", OnDisk("srv/data", "before"));
  fs::remove(folder_.path() / "file");
  EXPECT_THAT(Failure(), HasSubstr((folder_.path() / "file").string()));
  EXPECT_TRUE(fs::is_empty(store_.paths().Temporary()));
}

TEST_F(LayerStage, EqualLayersAreMadeOnce) {
  const ContentTree tree = {{"a", MakeFile("1")}};
  Add("one", tree);
  Add("two", tree);
  const std::vector<MadeLayer> made = Make();
  EXPECT_EQ(made[0].layer.descriptor, made[1].layer.descriptor);
  EXPECT_NE(made[0].made, made[1].made);
}

// A wheel whose frame was made a layer with `skeleton` around it.
class FramedLayerStage : public LayerStage {
 protected:
  void Frame(const std::vector<layers::TreeEntry>& skeleton) {
    layers::FileFacts file;
    file.path = "opt/heavy/data";
    file.node = MakeFile("heavy data").node;
    const auto codec = layers::MakeCodec(layers::Compression::kZstd);
    layers::InlineExecutor here;
    const auto output = store_.NewFile();
    layers::FrameWriter writer(*output, *codec, here);
    writer.AddSkeleton(skeleton);
    writer.Add(file.path, file.node, "heavy data");
    const layers::FrameInfo info = writer.Finish();
    locked_.name = package_.facts.name = "heavy";
    package_.locked = &locked_;
    package_.facts.kind = "wheel";
    package_.facts.files = {file};
    package_.frame = {info.codec,  info.tar_size,      info.compressed_size,
                      info.digest, info.layer->before, info.layer->after};
    package_.frame_path = store_.paths().Frame(info.digest);
    package_.layer = info.layer;
    store_.PutFrame(info.digest, *output);
    inputs_.push_back({"heavy", &package_.facts});
    contents_.push_back({.name = "heavy", .owners = {0}});
    contents_[0].packages = {
        {.package = &package_, .facts = &package_.facts, .begin = 0, .end = info.tar_size}};
  }

  std::vector<layers::TreeEntry> RightSkeleton() const {
    ContentTree tree{{"opt/heavy/data", MakeFile("")}};
    const layers::TreeInput input{"heavy", &tree};
    const layers::OwnerId owner = 0;
    return layers::Skeleton(layers::UniteTrees({&input, 1}).tree, {&owner, 1});
  }

  bool IsTheFrame(const MadeLayer& made) const {
    const auto path = store_.FindBlob(made.layer.descriptor.digest, made.layer.descriptor.size);
    return path && fs::equivalent(*path, package_.frame_path);
  }

  specs::LockedPackage locked_;
  ReadyPackage package_;
};

TEST_F(FramedLayerStage, AFrameThatIsTheLayerIsNotCopied) {
  Frame(RightSkeleton());
  const MadeLayer made = Make().at(0);
  EXPECT_TRUE(IsTheFrame(made));
  EXPECT_EQ(Read(made).at("opt/heavy/data"), "heavy data");

  // The same as where it is put together from the frame alone.
  fs::remove_all(store_.paths().Blobs());
  fs::remove_all(store_.paths().Actions());
  package_.layer.reset();
  const MadeLayer again = Make().at(0);
  EXPECT_FALSE(IsTheFrame(again));
  EXPECT_EQ(again.layer.descriptor, made.layer.descriptor);
  EXPECT_EQ(again.layer.diff_id, made.layer.diff_id);
}

TEST_F(FramedLayerStage, OtherDirectoriesThanWereForeseenMakeAnotherLayer) {
  std::vector<layers::TreeEntry> foreseen = RightSkeleton();
  foreseen.back().node.mode = 0700;
  Frame(foreseen);
  const MadeLayer made = Make().at(0);
  EXPECT_FALSE(IsTheFrame(made));
  EXPECT_THAT(Read(made),
              testing::UnorderedElementsAre(testing::Key("opt/"), testing::Key("opt/heavy/"),
                                            testing::Pair("opt/heavy/data", "heavy data")));
}

TEST_F(FramedLayerStage, FilesBesideThePackageMakeAnotherLayer) {
  Frame(RightSkeleton());
  trees_.push_back(std::make_unique<ContentTree>(ContentTree{{"opt/z", MakeFile("beside")}}));
  inputs_.push_back({"beside", trees_.back().get()});
  contents_[0].owners.push_back(1);
  contents_[0].files = trees_.back().get();
  const MadeLayer made = Make().at(0);
  EXPECT_FALSE(IsTheFrame(made));
  EXPECT_EQ(Read(made).at("opt/heavy/data"), "heavy data");
  EXPECT_EQ(Read(made).at("opt/z"), "beside");
}

// An output that shares the file was given to somebody who wrote another frame into it, whole in
// itself.
TEST_F(FramedLayerStage, AFrameThatSomebodyElseWroteIsRefused) {
  Frame(RightSkeleton());
  const auto codec = layers::MakeCodec(layers::Compression::kZstd);
  layers::InlineExecutor here;
  bool written = false;
  for (char other = '!'; other <= '~' && !written; ++other) {
    const std::string content = std::string("heavy") + other + "data";
    if (content == "heavy data") continue;
    const auto output = store_.NewFile();
    layers::FrameWriter writer(*output, *codec, here);
    writer.AddSkeleton(RightSkeleton());
    writer.Add("opt/heavy/data", MakeFile(content).node, content);
    if (writer.Finish().compressed_size != package_.frame.compressed_size) continue;
    output->Flush();
    fs::copy_file(output->temporary(), package_.frame_path, fs::copy_options::overwrite_existing);
    written = true;
  }
  ASSERT_TRUE(written) << "none is as long";
  package_.layer.reset();  // of an earlier run
  const std::string message = Failure();
  EXPECT_THAT(message, HasSubstr("heavy is damaged in the cache"));
  EXPECT_THAT(message, HasSubstr("build again"));
  EXPECT_FALSE(fs::exists(package_.frame_path));
}

TEST_F(LayerStage, ADamagedFrameNamesItsPackageAndIsRemoved) {
  const auto codec = layers::MakeCodec(layers::Compression::kZstd);
  layers::InlineExecutor here;
  const std::string content(200'000, 'x');
  const layers::Node node = MakeFile(content).node;
  const auto file = store_.NewFile();
  layers::FrameWriter writer(*file, *codec, here);
  writer.Add("usr/lib/numpy.so", node, content);
  const layers::FrameInfo info = writer.Finish();
  specs::LockedPackage locked;
  locked.name = "numpy";
  ReadyPackage package;
  package.locked = &locked;
  package.facts = {.kind = "wheel", .name = "numpy", .files = {{"usr/lib/numpy.so", node, {}}}};
  package.frame = {info.codec, info.tar_size, info.compressed_size, info.digest};
  package.frame_path = store_.paths().Frame(info.digest);
  const specs::Sha256 key = specs::HashOf("numpy's key");
  store_.PutPackage(key, package.frame, layers::RenderFacts(package.facts), file.get());
  inputs_.push_back({"numpy", &package.facts});
  LayerContent layer;
  layer.name = "python";
  layer.owners = {0};
  layer.packages = {
      {.package = &package, .facts = &package.facts, .begin = 0, .end = info.tar_size}};
  contents_.push_back(std::move(layer));

  std::string bytes = layers::ReadFile(package.frame_path);
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 0x55);
  fs::remove(package.frame_path);
  std::ofstream(package.frame_path, std::ios::binary) << bytes;
  ASSERT_TRUE(store_.FindPackage(key, info.codec).has_value());
  const std::string message = Failure();
  EXPECT_THAT(message, HasSubstr("numpy is damaged in the cache"));
  EXPECT_THAT(message, HasSubstr("build again"));
  EXPECT_FALSE(store_.FindPackage(key, info.codec).has_value());
}

TEST_F(LayerStage, SharedLayersAreDescribedAndNotMade) {
  Add("files", {{"a", MakeFile("one")}});
  Add("more", {{"b", MakeFile("two")}});
  const std::vector<MadeLayer> here = Make();
  RememberedLayers others;
  others.Remember({here[0]});
  shared_ = &others;
  layers::Store empty(folder_.path() / "empty");
  const std::vector<MadeLayer> there = MakeIn(empty);
  EXPECT_TRUE(there[0].shared);
  EXPECT_FALSE(there[0].made);
  EXPECT_TRUE(there[1].made);
  EXPECT_FALSE(there[1].shared);
  for (std::size_t i : {0, 1}) {
    EXPECT_EQ(there[i].layer.descriptor, here[i].layer.descriptor);
    EXPECT_EQ(there[i].layer.diff_id, here[i].layer.diff_id);
  }
  EXPECT_FALSE(empty.FindBlob(here[0].layer.descriptor.digest, here[0].layer.descriptor.size));
  // What is known and not here is made by whoever asks nobody.
  shared_ = nullptr;
  EXPECT_TRUE(MakeIn(empty)[0].made);
}

// The key follows the recipe, and so does the annotation that others find the layer by.
TEST_F(LayerStage, LayersCarryTheirRecipesKeys) {
  Add("files", {{"a", MakeFile("one")}});
  const auto recipe = LayerRecipeOf(Make()[0].layer.descriptor.annotations);
  ASSERT_TRUE(recipe);
  EXPECT_EQ(recipe->plain_size, Make()[0].layer.plain_size);
  const auto gzip =
      LayerRecipeOf(Make(2, layers::Compression::kGzip)[0].layer.descriptor.annotations);
  EXPECT_NE(gzip->key, recipe->key);
  EXPECT_FALSE(LayerRecipeOf({{kLayerKeyAnnotation, recipe->key.Hex()}}));
  EXPECT_FALSE(LayerRecipeOf({{kLayerKeyAnnotation, "x"}, {kPlainSizeAnnotation, "1"}}));
}

}  // namespace
}  // namespace imgbuild::builder
