// Images of one small layer, in a store of the test's own.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "layers/image/image.h"
#include "layers/image/write_meter.h"
#include "layers/store/store.h"
#include "specs/oci/media_types.h"
#include "tests/support/temp_folder.h"

namespace imgbuild::layers {

// Adds up what it is told.
struct CountingMeter : WriteMeter {
  void Begin(std::uint64_t bytes) override {
    ++begun;
    expected = bytes;
  }
  void Advance(std::uint64_t bytes) override { written += bytes; }

  int begun = 0;
  std::uint64_t expected = 0;
  std::atomic<std::uint64_t> written = 0;
};

class ImageTest : public testing::Test {
 protected:
  ImageLayer PutLayer(const std::string& plain) {
    store_.PutBlob(specs::HashOf(plain), plain);
    return {.descriptor = {.media_type = std::string(specs::kOciLayer),
                           .digest = specs::HashOf(plain),
                           .size = plain.size()},
            .diff_id = specs::HashOf(plain),
            .plain_size = plain.size(),
            .created_by = "imgbuild: test"};
  }

  Image MakeImage(const std::string& content) {
    specs::ImageConfig config{.created = "1980-01-01T00:00:00Z", .workdir = "/work"};
    return PublishImage(store_, {PublishPlatform(store_, config, {PutLayer(content)}, {})}, {});
  }

  std::set<std::string> Blobs(const std::filesystem::path& layout) const {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(layout / "blobs/sha256")) {
      names.insert(entry.path().filename());
    }
    return names;
  }

  // In place, as through a hard link.
  void Overwrite(const std::filesystem::path& path, const std::string& bytes) const {
    std::filesystem::permissions(path, std::filesystem::perms::owner_write,
                                 std::filesystem::perm_options::add);
    std::ofstream(path, std::ios::in | std::ios::out) << bytes;
  }

  const specs::Sha256& LayerOf(const Image& image) const {
    return image.platforms[0].manifest.layers[0].digest;
  }

  support::TempFolder folder_;
  std::filesystem::path out_ = folder_.path() / "x.oci";
  Store store_{folder_.path() / "cache"};
};

}  // namespace imgbuild::layers
