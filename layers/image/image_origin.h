// An image somewhere: in a layout, an archive or a registry. Documents are read when they are asked
// for; blobs become files when they are wanted, or are read as they come.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "layers/image/image_source.h"
#include "layers/io/stream.h"
#include "specs/oci/descriptor.h"
#include "specs/oci/document.h"

namespace imgbuild::layers {

class ImageOrigin {
 public:
  virtual ~ImageOrigin() = default;

  // The image's manifest or index.
  virtual specs::Descriptor Root() = 0;
  // These documents will be read next: what is far away can be had at the same time.
  virtual void Expect(const std::vector<specs::Descriptor>&) {}
  // A manifest or index, or a configuration: at most specs::kMaxDocument bytes. Whoever asks
  // compares the digest.
  virtual std::string ReadDocument(const specs::Descriptor& document) = 0;
  virtual std::string ReadConfig(const specs::Descriptor& config) { return ReadDocument(config); }
  // As files, in that order.
  virtual std::vector<SourceBlob> Files(const std::vector<specs::Descriptor>& blobs) = 0;

  // Gives the bytes of each of these blobs once, with its position in `blobs`, and keeps none of
  // them; on several threads, where that is faster. They are unverified. What `take` throws ends
  // it, and is thrown. REQUIRES: each digest once.
  using TakeBytes = std::function<void(std::size_t, Source&)>;
  virtual void Read(const std::vector<specs::Descriptor>& blobs, const TakeBytes& take);
};

// Gives the bytes of files as ImageOrigin::Read does.
void ReadFiles(const std::vector<SourceBlob>& files, const ImageOrigin::TakeBytes& take);

// What an image consists of.
struct ImageParts {
  std::vector<SourceDocument> documents;   // children before parents: the root is the last
  std::vector<specs::DocumentLink> blobs;  // each digest once

  const specs::Descriptor& root() const { return documents.back().descriptor; }
};

// Bounds of what is read of one image.
inline constexpr std::size_t kMostDocumentBytes = 256u << 20;

// All of it, or for a `platform` ("linux/arm64") its part of an index, of indexes in indexes too.
// Every document is of its digest and size. Throws Error where it is not, where the image is not
// for that platform (naming those that there are), and for what is no image (specs::Document).
ImageParts ReadParts(ImageOrigin& origin, const std::string& platform = "");

// A document that is known by its descriptor, compared with it.
std::string ReadVerified(ImageOrigin& origin, const specs::Descriptor& document);
std::string ReadVerifiedConfig(ImageOrigin& origin, const specs::Descriptor& config);

// The same with its blobs as files. Throws Error where some may not be had (foreign layers).
ImageSource ReadImage(ImageOrigin& origin, const std::string& platform = "");

// Throws Error where a blob of the image is one that its registry may not give away.
void RequireOwnBlobs(const ImageParts& parts);

}  // namespace imgbuild::layers
