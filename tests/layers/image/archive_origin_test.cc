#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "layers/image/archive_output.h"
#include "layers/image/compress_layers.h"
#include "layers/image/docker_archive_origin.h"
#include "layers/image/oci_archive_origin.h"
#include "layers/io/archive.h"
#include "layers/io/executor.h"
#include "layers/io/file.h"
#include "layers/io/hashing.h"
#include "specs/base/error.h"
#include "specs/oci/media_types.h"
#include "tests/layers/image/image_fixture.h"
#include "tests/layers/image/memory_origin.h"
#include "tests/layers/image/tar_maker.h"

namespace imgbuild::layers {
namespace {

namespace fs = std::filesystem;
using specs::Error;
using specs::HashOf;
using testing::HasSubstr;

class ArchiveOriginTest : public ImageTest {
 protected:
  std::string Compressed(const std::string& plain, Compression compression) {
    const auto codec = MakeCodec(compression);
    return std::string(codec->Compress(plain).view());
  }

  std::string Config(const std::vector<std::string>& layers) {
    std::string ids;
    for (const std::string& layer : layers) {
      ids += (ids.empty() ? "\"" : ",\"") + HashOf(layer).Oci() + "\"";
    }
    return R"({"os":"linux","architecture":"amd64","rootfs":{"type":"layers","diff_ids":[)" + ids +
           "]}}";
  }

  ImageSource ReadDocker(const std::string& name = "") {
    DockerArchiveOrigin origin(store_, tar_, name);
    return ReadImage(origin);
  }
  ImageSource ReadOci(const std::string& name = "") {
    OciArchiveOrigin origin(store_, tar_, name);
    return ReadImage(origin);
  }

  // With an empty store, so that nothing is taken from an earlier reading.
  template <typename Read>
  void Refused(const std::string& part, Read read) {
    try {
      read();
      ADD_FAILURE() << "no error: " << part;
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr(part));
    }
    EXPECT_TRUE(fs::is_empty(store_.paths().Temporary()));
  }

  std::string Layer(const ImageSource& image, std::size_t at) {
    return ReadFile(image.blobs.at(at).path);
  }

  const fs::path tar_ = folder_.path() / "in.tar";
  const std::string one_ = "./" + std::string(2'000, 'a');
  const std::string two_ = "./" + std::string(3'000, 'b');
};

// `docker save` until 24: folders named by ids, layer.tar in each, some as links to others'.
TEST_F(ArchiveOriginTest, OlderDockerArchivesWithLinks) {
  TarMaker()
      .Directory("aaa/")
      .File("aaa/VERSION", "1.0")
      .File("aaa/layer.tar", one_)
      .Symlink("bbb/layer.tar", "../aaa/layer.tar")
      .Hardlink("ccc/layer.tar", "bbb/layer.tar")
      .File("ddd/layer.tar", two_)
      .File("c.json", Config({one_, one_, one_, two_}))
      .File("manifest.json",
            R"([{"Config":"c.json","RepoTags":["app:v1","app:v2"],"Layers":)"
            R"(["aaa/layer.tar","bbb/layer.tar","ccc/layer.tar","./ddd//layer.tar"]}])")
      .File("repositories", "{}")
      .WriteTo(tar_);
  for (const char* name : {"", "app:v1", "app:v2"}) {
    const ImageSource image = ReadDocker(name);
    ASSERT_EQ(image.blobs.size(), 3u);
    EXPECT_EQ(Layer(image, 0), Config({one_, one_, one_, two_}));
    EXPECT_EQ(Layer(image, 1), one_);
    EXPECT_EQ(Layer(image, 2), two_);
    EXPECT_EQ(image.blobs[1].descriptor.media_type, specs::kOciLayer);
    const specs::Manifest manifest = specs::ParseManifest(image.documents.back().bytes, "it");
    EXPECT_EQ(manifest.layers.size(), 4u);
  }
}

// Since 25: blobs of an OCI layout, compressed or not.
TEST_F(ArchiveOriginTest, NewerDockerArchivesWithBlobs) {
  const std::string gzip = Compressed(one_, Compression::kGzip);
  const std::string zstd = Compressed(two_, Compression::kZstd);
  auto blob = [](const std::string& bytes) { return "blobs/sha256/" + HashOf(bytes).Hex(); };
  const std::string config = Config({one_, two_});
  TarMaker()
      .File(blob(config), config)
      .File(blob(gzip), gzip)
      .File(blob(zstd), zstd)
      .File("index.json", "{}")
      .File("manifest.json", R"([{"Config":")" + blob(config) + R"(","RepoTags":null,"Layers":[")" +
                                 blob(gzip) + R"(",")" + blob(zstd) + R"("]}])")
      .WriteTo(tar_);
  const ImageSource image = ReadDocker();
  ASSERT_EQ(image.blobs.size(), 3u);
  EXPECT_EQ(Layer(image, 1), gzip);
  EXPECT_EQ(image.blobs[1].descriptor.media_type, specs::kOciLayerGzip);
  EXPECT_EQ(image.blobs[2].descriptor.media_type, specs::kOciLayerZstd);
}

TEST_F(ArchiveOriginTest, DockerArchivesOfSeveralImages) {
  TarMaker()
      .File("1.tar", one_)
      .File("2.tar", two_)
      .File("1.json", Config({one_}))
      .File("2.json", Config({two_}))
      .File("manifest.json",
            R"([{"Config":"1.json","RepoTags":["localhost/app:latest"],"Layers":["1.tar"]},)"
            R"({"Config":"2.json","RepoTags":["localhost/other:v1"],"Layers":["2.tar"]}])")
      .WriteTo(tar_);
  EXPECT_EQ(Layer(ReadDocker("app"), 1), one_);
  EXPECT_EQ(Layer(ReadDocker("other:v1"), 1), two_);
  EXPECT_EQ(Layer(ReadDocker("localhost/other:v1"), 1), two_);
  Refused("localhost/app:latest", [&] { ReadDocker(); });
  Refused("no image named \"other\"", [&] { ReadDocker("other"); });
}

TEST_F(ArchiveOriginTest, WhatTheConfigurationDoesNotPromiseIsRefused) {
  auto save = [&](const std::string& layer, const std::string& config) {
    TarMaker()
        .File("l.tar", layer)
        .File("c.json", config)
        .File("manifest.json", R"([{"Config":"c.json","RepoTags":[],"Layers":["l.tar"]}])")
        .WriteTo(tar_);
  };
  for (Compression compression : {Compression::kGzip, Compression::kZstd}) {
    save(Compressed(two_, compression), Config({one_}));
    Refused("damaged", [&] { ReadDocker(); });
  }
  save(two_, Config({one_}));
  Refused("damaged", [&] { ReadDocker(); });
  save(one_, Config({one_, two_}));
  Refused("do not fit", [&] { ReadDocker(); });
  save(one_, "[]");
  Refused("c.json", [&] { ReadDocker(); });
  save(one_, R"({"rootfs":{"diff_ids":["sha256:../../etc"]}})");
  Refused("c.json", [&] { ReadDocker(); });
  EXPECT_FALSE(store_.FindBlob(HashOf(one_), one_.size()));
  EXPECT_FALSE(store_.FindBlob(HashOf(two_), two_.size()));
}

TEST_F(ArchiveOriginTest, HostileArchivesAreRefused) {
  const std::string manifest = R"([{"Config":"c.json","RepoTags":[],"Layers":["l.tar"]}])";
  auto docker = [&](TarMaker maker) {
    maker.File("c.json", Config({one_})).File("manifest.json", manifest).WriteTo(tar_);
  };
  docker(TarMaker().File("l.tar", one_).File("./l.tar", two_));
  Refused("two members", [&] { ReadDocker(); });
  docker(TarMaker().Symlink("l.tar", "/etc/passwd"));
  Refused("lacks l.tar", [&] { ReadDocker(); });
  docker(TarMaker().Symlink("l.tar", "../../../etc/passwd"));
  Refused("lacks l.tar", [&] { ReadDocker(); });
  docker(TarMaker().Symlink("l.tar", "m.tar").Symlink("m.tar", "l.tar"));
  Refused("lacks l.tar", [&] { ReadDocker(); });
  docker(TarMaker().File("../l.tar", one_).File("/l.tar", one_));
  Refused("lacks l.tar", [&] { ReadDocker(); });
  TarMaker().File("manifest.json", manifest).File("l.tar", one_, 1ull << 32).WriteTo(tar_);
  Refused("", [&] { ReadDocker(); });
  TarMaker().File("manifest.json", "[" + std::string(5u << 20, ' ') + "]").WriteTo(tar_);
  Refused("too large", [&] { ReadDocker(); });
  TarMaker().File("manifest.json", std::string(100'000, '[')).WriteTo(tar_);
  Refused("nested too deeply", [&] { ReadDocker(); });
  for (const char* wrong : {"{}", "[]", "[{}]", "[7]", R"([{"Config":7}])", "x", ""}) {
    TarMaker().File("manifest.json", wrong).WriteTo(tar_);
    Refused("", [&] { ReadDocker(); });
  }
  WriteFileAtomically(tar_, "this is no tar at all");
  Refused("", [&] { ReadDocker(); });
  Refused("", [&] { ReadOci(); });
}

TEST_F(ArchiveOriginTest, OciArchivesInAnyOrder) {
  MemoryOrigin origin(folder_.path() / "origin");
  origin.SetRoot(origin.PutImage("linux/amd64", {one_, two_}) + "}");
  const std::string entry = R"({"mediaType":")" + std::string(specs::kOciManifest) +
                            R"(","digest":")" + origin.Root().digest.Oci() + R"(","size":)" +
                            std::to_string(origin.Root().size);
  TarMaker maker;
  for (const auto& [digest, bytes] : origin.blobs) {
    maker.File("./blobs/sha256/" + digest.Hex(), bytes);
  }
  maker
      .File("./index.json", R"({"schemaVersion":2,"manifests":[)" + entry +
                                R"(,"annotations":{"org.opencontainers.image.ref.name":"v1"}}]})")
      .File("./oci-layout", R"({"imageLayoutVersion":"1.0.0"})")
      .WriteTo(tar_);
  const ImageSource image = ReadOci("v1");
  EXPECT_EQ(image.root(), origin.Root());
  EXPECT_EQ(Layer(image, 1), one_);
  EXPECT_EQ(OciArchiveOrigin(store_, tar_, "").name(), "v1");
  Refused("no image named", [&] { ReadOci("v2"); });
  // What the store has is not read again, even where it is damaged in the archive.
  std::string bytes = maker.Bytes();
  bytes[bytes.find(std::string(100, 'b')) + 50] = 'c';
  WriteFileAtomically(tar_, bytes);
  EXPECT_EQ(Layer(ReadOci(), 2), two_);
  fs::remove(store_.paths().Blob(HashOf(two_)));
  Refused("damaged", [&] { ReadOci(); });
  Refused("oci-archive:", [&] { ReadDocker(); });
}

TEST_F(ArchiveOriginTest, WhatIsWrittenIsReadBack) {
  MemoryOrigin origin(folder_.path() / "origin");
  origin.SetRoot(origin.PutImage("linux/amd64", {one_, two_, one_}) + "}");
  const ImageSource image = ReadImage(origin);
  WriteOciArchive(store_, image, tar_, {"v1"});
  EXPECT_EQ(ReadOci("v1").documents.back().bytes, image.documents.back().bytes);
  WriteDockerArchive(store_, image, tar_, {"app:v1"});
  const ImageSource back = ReadDocker("app:v1");
  EXPECT_EQ(back.blobs.at(0).descriptor.digest, image.blobs.at(0).descriptor.digest);
  EXPECT_EQ(Layer(back, 1), one_);
  EXPECT_EQ(Layer(back, 2), two_);
}

TEST_F(ArchiveOriginTest, CompressedForARegistry) {
  MemoryOrigin origin(folder_.path() / "origin");
  origin.SetRoot(origin.PutImage("linux/amd64", {one_, two_, one_}) + "}");
  const ImageSource plain = ReadImage(origin);
  InlineExecutor executor;
  for (Compression compression : {Compression::kGzip, Compression::kZstd}) {
    const auto codec = MakeCodec(compression);
    const ImageSource image = CompressLayers(store_, plain, *codec, executor);
    EXPECT_EQ(image.blobs.at(0).descriptor, plain.blobs.at(0).descriptor);
    EXPECT_EQ(HashFile(image.blobs.at(1).path), image.blobs.at(1).descriptor.digest);
    FileSource file(image.blobs.at(1).path);
    EXPECT_EQ(ReadAll(*Decompressed(file)), one_);
    const specs::Manifest manifest = specs::ParseManifest(image.documents.back().bytes, "it");
    ASSERT_EQ(manifest.layers.size(), 3u);
    EXPECT_EQ(manifest.layers[0], manifest.layers[2]);
    EXPECT_EQ(manifest.layers[1], image.blobs.at(2).descriptor);
    EXPECT_EQ(image.root().digest, HashOf(image.documents.back().bytes));
    // Once more, without the plain bytes: it is remembered.
    fs::rename(folder_.path() / "origin", folder_.path() / "away");
    EXPECT_EQ(CompressLayers(store_, plain, *codec, executor).root(), image.root());
    fs::rename(folder_.path() / "away", folder_.path() / "origin");
    EXPECT_EQ(CompressLayers(store_, image, *codec, executor).root(), image.root());
  }
  WriteFileAtomically(plain.blobs.at(1).path, std::string(one_.size(), 'x'));
  Store other(folder_.path() / "other");
  EXPECT_THROW(CompressLayers(other, plain, *MakeCodec(Compression::kZstd), executor), Error);
}

TEST_F(ArchiveOriginTest, APlainLayerThatIsDamagedInTheStoreComesFromTheArchiveAgain) {
  MemoryOrigin origin(folder_.path() / "origin");
  origin.SetRoot(origin.PutImage("linux/amd64", {one_, two_}) + "}");
  WriteDockerArchive(store_, ReadImage(origin), tar_, {"app:v1"});
  InlineExecutor executor;
  const auto codec = MakeCodec(Compression::kZstd);
  const auto compress = [&] { return CompressLayers(store_, ReadDocker(), *codec, executor); };
  (void)ReadDocker();
  Overwrite(store_.paths().Blob(HashOf(one_)), "damaged");
  Refused("damaged in the cache", compress);
  const ImageSource image = compress();
  FileSource file(image.blobs.at(1).path);
  EXPECT_EQ(ReadAll(*Decompressed(file)), one_);
}

}  // namespace
}  // namespace imgbuild::layers
