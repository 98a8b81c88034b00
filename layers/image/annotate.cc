#include "layers/image/annotate.h"

#include <utility>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "specs/base/digest.h"
#include "specs/base/error.h"
#include "specs/oci/json_document.h"

namespace imgbuild::layers {
namespace {

using SortedJson = nlohmann::json;
using Renamed = std::map<std::string, specs::Descriptor>;  // from a document's old digest

// Descriptors of documents that have changed lead to the new ones.
void Redirect(SortedJson& descriptors, const Renamed& renamed) {
  for (SortedJson& descriptor : descriptors) {
    const auto found = renamed.find(specs::TextAt(descriptor, "digest"));
    if (found == renamed.end()) continue;
    descriptor["digest"] = found->second.digest.Oci();
    descriptor["size"] = found->second.size;
  }
}

std::string Annotate(std::string_view bytes, const std::map<std::string, std::string>& annotations,
                     const Renamed& renamed) {
  SortedJson document = specs::ParseJsonDocument(bytes);
  for (const auto& [key, value] : annotations) document["annotations"][key] = value;
  if (document.contains("manifests")) Redirect(document["manifests"], renamed);
  return document.dump();
}

}  // namespace

ImageSource Annotated(ImageSource image, const std::map<std::string, std::string>& annotations) {
  if (annotations.empty()) return image;
  Renamed renamed;
  for (SourceDocument& document : image.documents) {
    const std::string before = document.descriptor.digest.Oci();
    document.bytes = specs::Understand(
        "the manifest " + before, [&] { return Annotate(document.bytes, annotations, renamed); });
    if (document.bytes.size() > specs::kMaxDocument) {
      throw specs::Error("the image's manifest grows too large with these annotations")
          .Found(fmt::format("{} bytes", document.bytes.size()))
          .Expected(fmt::format("at most {}", specs::kMaxDocument));
    }
    document.descriptor.digest = specs::HashOf(document.bytes);
    document.descriptor.size = document.bytes.size();
    renamed.emplace(before, document.descriptor);
  }
  return image;
}

}  // namespace imgbuild::layers
