#include "layers/image/image_origin.h"

#include <algorithm>
#include <optional>
#include <set>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "layers/io/file.h"
#include "layers/io/in_parallel.h"
#include "specs/base/error.h"
#include "specs/base/text.h"
#include "specs/oci/foreign_config.h"
#include "specs/oci/json_document.h"

namespace imgbuild::layers {
namespace {

using specs::Descriptor;
using specs::Document;
using specs::DocumentKind;
using specs::DocumentLink;
using specs::Error;
using specs::ErrorKind;

constexpr int kMostLevels = 8;  // of indexes in indexes

void RequireSmall(const Descriptor& descriptor) {
  if (descriptor.size <= specs::kMaxDocument) return;
  throw Error(fmt::format("the document {} is too large", descriptor.digest.Oci()))
      .Found(specs::HumanBytes(descriptor.size))
      .Expected("at most " + specs::HumanBytes(specs::kMaxDocument));
}

std::string Verified(const Descriptor& descriptor, std::string bytes) {
  const specs::Sha256 found = specs::HashOf(bytes);
  if (found == descriptor.digest && bytes.size() == descriptor.size) return bytes;
  throw Error(ErrorKind::kVerification,
              fmt::format("the document {} is damaged", descriptor.digest.Oci()))
      .Found(fmt::format("{}, {} bytes", found.Oci(), bytes.size()))
      .Expected(fmt::format("{}, {} bytes", descriptor.digest.Oci(), descriptor.size));
}

std::vector<Descriptor> DescriptorsOf(const std::vector<DocumentLink>& links) {
  std::vector<Descriptor> descriptors;
  for (const DocumentLink& link : links) descriptors.push_back(link.descriptor);
  return descriptors;
}

[[noreturn]] void TooDeep() { throw Error("the image's indexes lead to each other too deeply"); }

// Follows a document to all that it needs.
class Walk {
 public:
  explicit Walk(ImageOrigin& origin) : origin_(origin) {}

  void Add(const Descriptor& descriptor, int level = 0) {
    if (!seen_.insert(descriptor.digest).second) return;
    if (level > kMostLevels) TooDeep();
    std::string bytes = ReadVerified(origin_, descriptor);
    read_ += bytes.size();
    if (read_ > kMostDocumentBytes) {
      throw Error("the image's manifests are too large")
          .Expected("at most " + specs::HumanBytes(kMostDocumentBytes) + " together");
    }
    const Document document = specs::ParseDocument(bytes, descriptor.digest.Oci());
    if (level < kMostLevels) origin_.Expect(DescriptorsOf(document.manifests));
    for (const DocumentLink& child : document.manifests) Add(child.descriptor, level + 1);
    if (document.config) AddBlob(*document.config);
    for (const DocumentLink& layer : document.layers) AddBlob(layer);
    parts_.documents.push_back({descriptor, std::move(bytes)});
  }

  ImageParts Take() { return std::move(parts_); }

 private:
  void AddBlob(const DocumentLink& link) {
    if (seen_.insert(link.descriptor.digest).second) parts_.blobs.push_back(link);
  }

  ImageOrigin& origin_;
  std::set<specs::Sha256> seen_;
  std::size_t read_ = 0;
  ImageParts parts_;
};

class PlatformSearch {
 public:
  PlatformSearch(ImageOrigin& origin, const std::string& wanted)
      : origin_(origin), wanted_(wanted) {}

  Descriptor Run() {
    Descriptor root = origin_.Root();
    const Document document = Read(root);
    if (document.kind == DocumentKind::kManifest) {
      RequireFit(document);
      return root;
    }
    if (auto found = Find(document, 0)) return *found;
    throw Error(ErrorKind::kUsage, fmt::format("the image is not for {}", wanted_))
        .Found(offered_.empty() ? "no platforms" : fmt::format("{}", fmt::join(offered_, ", ")));
  }

 private:
  Document Read(const Descriptor& descriptor) {
    return specs::ParseDocument(ReadVerified(origin_, descriptor), descriptor.digest.Oci());
  }

  void RequireFit(const Document& document) {
    if (!document.config || !specs::IsConfigType(document.config->descriptor.media_type)) return;
    const Descriptor& config = document.config->descriptor;
    const std::string platform =
        specs::ParseForeignConfig(ReadVerifiedConfig(origin_, config), config.digest.Oci())
            .platform;
    if (specs::PlatformFits(wanted_, platform)) return;
    throw Error(ErrorKind::kUsage, fmt::format("the image is not for {}", wanted_))
        .Found(platform.substr(0, 100));
  }

  std::optional<Descriptor> Find(const Document& index, int level) {
    if (level > kMostLevels) TooDeep();
    for (const DocumentLink& link : index.manifests) {
      if (specs::PlatformFits(wanted_, link.platform)) return link.descriptor;
      if (!link.platform.empty()) {
        offered_.insert(link.platform.substr(0, 100));
        continue;
      }
      if (!specs::IsDocumentType(link.descriptor.media_type) ||
          !seen_.insert(link.descriptor.digest).second) {
        continue;
      }
      const Document child = Read(link.descriptor);
      if (child.kind != DocumentKind::kIndex) continue;
      if (auto found = Find(child, level + 1)) return found;
    }
    return std::nullopt;
  }

  ImageOrigin& origin_;
  const std::string& wanted_;
  std::set<std::string> offered_;
  std::set<specs::Sha256> seen_;
};

}  // namespace

void ImageOrigin::Read(const std::vector<Descriptor>& blobs, const TakeBytes& take) {
  ReadFiles(Files(blobs), take);
}

void ReadFiles(const std::vector<SourceBlob>& files, const ImageOrigin::TakeBytes& take) {
  const auto jobs = static_cast<int>(std::thread::hardware_concurrency());
  InParallel(files.size(), jobs, [&](std::size_t i) {
    FileSource source(files[i].path);
    take(i, source);
  });
}

std::string ReadVerified(ImageOrigin& origin, const Descriptor& document) {
  RequireSmall(document);
  return Verified(document, origin.ReadDocument(document));
}

std::string ReadVerifiedConfig(ImageOrigin& origin, const Descriptor& config) {
  RequireSmall(config);
  return Verified(config, origin.ReadConfig(config));
}

ImageParts ReadParts(ImageOrigin& origin, const std::string& platform) {
  Walk walk(origin);
  walk.Add(platform.empty() ? origin.Root() : PlatformSearch(origin, platform).Run());
  return walk.Take();
}

void RequireOwnBlobs(const ImageParts& parts) {
  const auto foreign = std::ranges::find_if(parts.blobs, &DocumentLink::foreign);
  if (foreign == parts.blobs.end()) return;
  throw Error("the image has a layer that is kept elsewhere and may not be passed on")
      .Found(fmt::format("{} of type {}", foreign->descriptor.digest.Oci(),
                         foreign->descriptor.media_type.substr(0, 100)));
}

ImageSource ReadImage(ImageOrigin& origin, const std::string& platform) {
  ImageParts parts = ReadParts(origin, platform);
  RequireOwnBlobs(parts);
  ImageSource source;
  source.blobs = origin.Files(DescriptorsOf(parts.blobs));
  source.documents = std::move(parts.documents);
  return source;
}

}  // namespace imgbuild::layers
