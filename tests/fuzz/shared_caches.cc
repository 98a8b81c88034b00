// What shared caches answer: entries, artifacts, images that claim recipes, packages' records.
#include "builder/share/action_result.h"
#include "builder/share/cache_artifact.h"
#include "builder/share/image_entries.h"
#include "builder/share/record_text.h"
#include "layers/store/package_record.h"
#include "layers/tree/facts.h"
#include "layers/write/layer_info.h"
#include "specs/base/error.h"
#include "tests/fuzz/target.h"

namespace imgbuild::fuzz {
namespace {

template <typename Parse>
void Tolerate(Parse&& parse) {
  try {
    parse();
  } catch (const specs::Error&) {
  }
}

}  // namespace

void Try(std::string_view bytes) {
  if (const auto entry = builder::ParseActionResult(bytes)) {
    Require(builder::ParseActionResult(builder::RenderActionResult(*entry)) == entry,
            "an entry renders to itself");
  }
  Tolerate([&] {
    const builder::CacheArtifact artifact = builder::ParseCacheArtifact(bytes);
    Require(builder::ParseCacheArtifact(builder::RenderCacheArtifact(artifact)) == artifact,
            "an artifact renders to itself");
    Require(builder::Merge(artifact, artifact).size() <= artifact.size(),
            "merging with itself adds nothing");
  });
  Tolerate([&] {
    const auto same = [&](const specs::Descriptor&) { return std::string(bytes); };
    (void)builder::EntriesOfImage(std::string(bytes), same, same);
  });
  (void)layers::ParseLayerInfo(bytes);
  if (const auto package = layers::ParsePackage(bytes)) {
    Require(layers::ParsePackage(layers::RenderPackage(package->frame, package->facts)).has_value(),
            "a record renders to one");
    layers::FuzzFacts(package->facts);
  }
  Tolerate([&] { (void)builder::UnpackRecord(bytes); });
}

}  // namespace imgbuild::fuzz
