// An image that a test makes by hand, of any kind, with its blobs as files in a folder.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "layers/image/image_origin.h"
#include "layers/image/layout_origin.h"
#include "layers/io/atomic_file.h"
#include "specs/oci/media_types.h"

namespace imgbuild::layers {

class MemoryOrigin : public ImageOrigin {
 public:
  explicit MemoryOrigin(std::filesystem::path folder) : folder_(std::move(folder)) {
    std::filesystem::create_directories(folder_);
  }

  // Each Put gives a descriptor without its closing brace, for more members.
  std::string Put(const std::string& bytes, const std::string& type_member) {
    const specs::Sha256 digest = specs::HashOf(bytes);
    blobs[digest] = bytes;
    WriteFileAtomically(folder_ / digest.Hex(), bytes);
    return "{" + type_member + R"(,"digest":")" + digest.Oci() + R"(","size":)" +
           std::to_string(bytes.size());
  }

  static std::string Type(std::string_view media_type) {
    return R"("mediaType":")" + std::string(media_type) + "\"";
  }

  // Of plain layers.
  std::string PutImage(const std::string& platform, const std::vector<std::string>& layers) {
    const std::size_t slash = platform.find('/');
    std::string ids;
    std::string links;
    for (const std::string& layer : layers) {
      ids += (ids.empty() ? "\"" : ",\"") + specs::HashOf(layer).Oci() + "\"";
      links += (links.empty() ? "" : ",") + Put(layer, Type(specs::kOciLayer)) + "}";
    }
    const std::string config = R"({"os":")" + platform.substr(0, slash) + R"(","architecture":")" +
                               platform.substr(slash + 1) +
                               R"(","rootfs":{"type":"layers","diff_ids":[)" + ids + "]}}";
    return Put(R"({"schemaVersion":2,"config":)" + Put(config, Type(specs::kOciConfig)) +
                   R"(},"layers":[)" + links + "]}",
               Type(specs::kOciManifest));
  }

  std::string PutIndex(const std::vector<std::string>& links) {
    std::string list;
    for (const std::string& link : links) list += (list.empty() ? "" : ",") + link;
    return Put(R"({"schemaVersion":2,"manifests":[)" + list + "]}", Type(specs::kOciIndex));
  }

  // An artifact's, of blobs with the member that tells their type; a whole descriptor.
  std::string PutManifest(const std::vector<std::pair<std::string, std::string>>& parts,
                          const std::string& more = "") {
    std::string list;
    for (const auto& [bytes, type] : parts)
      list += (list.empty() ? "" : ",") + Put(bytes, type) + "}";
    return Put(R"({"schemaVersion":2,"config":)" + Put("{}", Type("x/config")) + R"(},"layers":[)" +
                   list + "]" + more + "}",
               Type(specs::kOciManifest)) +
           "}";
  }

  void SetRoot(const std::string& descriptor) { root_ = RootOf({.json = descriptor}); }

  specs::Descriptor Root() override { return root_; }
  std::string ReadDocument(const specs::Descriptor& document) override {
    return blobs.at(document.digest);
  }
  std::vector<SourceBlob> Files(const std::vector<specs::Descriptor>& wanted) override {
    std::vector<SourceBlob> files;
    for (const specs::Descriptor& blob : wanted) {
      files.push_back({blob, folder_ / blob.digest.Hex()});
    }
    return files;
  }

  std::map<specs::Sha256, std::string> blobs;

 private:
  std::filesystem::path folder_;
  specs::Descriptor root_;
};

}  // namespace imgbuild::layers
