// Unpacks what a test made and reads the frame back as anyone would.
#pragma once

#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "layers/io/archive.h"
#include "layers/unpack/deb.h"
#include "layers/unpack/wheel.h"
#include "layers/write/tar.h"
#include "specs/base/error.h"
#include "tests/support/make_deb.h"
#include "tests/support/make_wheel.h"
#include "tests/support/temp_folder.h"

namespace imgbuild::layers {

struct Unpacked {
  PackageFacts facts;
  std::vector<std::string> order;              // paths in the frame
  std::map<std::string, std::string> content;  // of files
  std::map<std::string, std::string> target;   // of links

  const Node* Find(std::string_view path) const {
    for (const FileFacts& file : facts.files) {
      if (file.path == path) return &file.node;
    }
    return nullptr;
  }
};

// Says which files it was asked for; "bad" sources do not compile.
class RecordingCompiler : public PycCompiler {
 public:
  std::vector<std::optional<std::string>> Compile(std::span<const PycSource> sources) override {
    std::vector<std::optional<std::string>> results;
    for (const PycSource& source : sources) {
      asked.push_back(source.co_filename);
      if (source.bytes == "bad") {
        results.emplace_back();
      } else {
        results.push_back("pyc of " + source.co_filename + " at " + std::to_string(source.mtime));
      }
    }
    return results;
  }
  std::vector<std::string> asked;
};

class UnpackTest : public testing::Test {
 protected:
  std::filesystem::path Put(const std::string& name, const std::string& bytes) {
    std::filesystem::path path = folder_.path() / name;
    std::ofstream(path, std::ios::binary) << bytes;
    return path;
  }

  Unpacked Deb(const support::MakeDeb& deb, DebOptions options = {}) {
    std::string bytes = deb.Bytes();
    if (options.sha256.IsZero()) options.sha256 = specs::HashOf(bytes);
    options.scratch = folder_.path();
    std::filesystem::path path = Put("demo.deb", bytes);
    return Unpack([&](FrameWriter& frame) { return UnpackDeb(path, options, frame); });
  }

  Unpacked Wheel(const std::string& bytes, WheelOptions options = {}) {
    if (options.sha256.IsZero()) options.sha256 = specs::HashOf(bytes);
    options.scratch = folder_.path();
    std::filesystem::path path = Put("demo-1.0-py3-none-any.whl", bytes);
    return Unpack([&](FrameWriter& frame) { return UnpackWheel(path, options, frame); });
  }

  // The Error's text; fails the test where none is thrown.
  template <typename Action>
  std::string ErrorOf(Action action) {
    try {
      action();
    } catch (const specs::Error& error) {
      kind_ = error.kind();
      return error.what();
    }
    ADD_FAILURE() << "no error was thrown";
    return "";
  }

  specs::ErrorKind kind_ = specs::ErrorKind::kFailure;  // of the last ErrorOf
  support::TempFolder folder_;

 private:
  template <typename Action>
  Unpacked Unpack(Action action) {
    auto codec = MakeCodec(Compression::kZstd, 1);
    InlineExecutor executor;
    StringSink sink;
    FrameWriter frame(sink, *codec, executor);
    Unpacked result;
    result.facts = action(frame);
    frame.Finish();
    EXPECT_EQ(ParseFacts(RenderFacts(result.facts)), result.facts);
    if (sink.text().empty()) return result;
    MemorySource compressed(sink.text());
    std::unique_ptr<Source> plain = DecompressFrame(compressed, *codec);
    std::string tar = ReadAll(*plain) + TarEnd();
    MemorySource source(tar);
    ArchiveReader reader(source, ArchiveFormat::kTar);
    while (std::optional<ArchiveEntry> entry = reader.Next()) {
      result.order.push_back(entry->path);
      if (entry->type == ArchiveType::kFile) result.content[entry->path] = ReadAll(reader.Data());
      if (!entry->target.empty()) result.target[entry->path] = entry->target;
    }
    return result;
  }
};

}  // namespace imgbuild::layers
