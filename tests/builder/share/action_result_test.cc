#include "builder/share/action_result.h"

#include <random>

#include <gtest/gtest.h>

namespace imgbuild::builder {
namespace {

CacheEntry SampleEntry() {
  return {.document = "some words",
          .blobs = {{"layer", specs::HashOf("a"), 300}, {"frame", specs::HashOf("b"), 0}}};
}

TEST(ActionResult, IsReadAsItWasWritten) {
  const CacheEntry large{.document = std::string(5000, 'd'),
                         .blobs = {{"x", specs::HashOf("x"), (1ull << 63) - 1}}};
  for (const CacheEntry& entry : {CacheEntry{}, SampleEntry(), large}) {
    EXPECT_EQ(ParseActionResult(RenderActionResult(entry)), entry);
  }
}

// As protoc --encode=build.bazel.remote.execution.v2.ActionResult writes it.
TEST(ActionResult, IsTheProtocolsMessage) {
  const std::string hash = specs::HashOf("a").Hex();
  const std::string digest = "\x0a\x40" + hash + "\x10\xac\x02";
  const std::string file =
      std::string("\x0a\x05layer\x12") + static_cast<char>(digest.size()) + digest;
  const std::string message =
      std::string("\x12") + static_cast<char>(file.size()) + file + "\x2a\x02hi";
  EXPECT_EQ(RenderActionResult({.document = "hi", .blobs = {{"layer", specs::HashOf("a"), 300}}}),
            message);
}

TEST(ActionResult, PassesOverFieldsOfOthers) {
  // exit_code (4), execution_metadata (9), and unknown ones of each wire type.
  const std::string others(
      "\x20\x05\x4a\x03zzz\xf9\x01"
      "12345678"
      "\xfd\x01"
      "1234",
      23);
  EXPECT_EQ(ParseActionResult(others + RenderActionResult(SampleEntry())), SampleEntry());
}

TEST(ActionResult, RefusesWhatIsNone) {
  const std::string whole = RenderActionResult(SampleEntry());
  for (const std::string& wrong :
       {std::string("<html>"), std::string("\x12"), std::string("\x12\xff\xff\xff\xff\xff\x7f"),
        std::string("\x12\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"), std::string("\x0b"),
        std::string("\x02\x00", 2), std::string("\x12\x02\x12\x00", 4),
        std::string("\x12\x09\x0a\x01x\x12\x04\x0a\x02zz"), whole.substr(0, whole.size() - 1)}) {
    EXPECT_FALSE(ParseActionResult(wrong));
  }
  // A negative size, which is ten bytes long.
  CacheEntry negative = SampleEntry();
  negative.blobs[0].size = ~0ull;
  EXPECT_FALSE(ParseActionResult(RenderActionResult(negative)));
  CacheEntry many;
  for (std::size_t i = 0; i <= kMostBlobs; ++i) many.blobs.push_back({"b", specs::HashOf("b"), 1});
  EXPECT_FALSE(ParseActionResult(RenderActionResult(many)));
}

TEST(ActionResult, SurvivesNoise) {
  std::mt19937 random(7);
  const std::string whole = RenderActionResult(SampleEntry());
  for (int i = 0; i < 20'000; ++i) {
    std::string bytes = whole.substr(0, random() % (whole.size() + 1));
    for (int k = 0; k < 3 && !bytes.empty(); ++k) {
      bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    const auto entry = ParseActionResult(bytes);
    if (entry) {
      EXPECT_LE(entry->blobs.size(), kMostBlobs);
    }
  }
}

}  // namespace
}  // namespace imgbuild::builder
