// Documents of registries and layouts, references and login challenges.
#include "builder/registry/auth_file.h"
#include "builder/registry/challenge.h"
#include "builder/registry/pages.h"
#include "builder/registry/registry_config.h"
#include "specs/base/error.h"
#include "specs/oci/document.h"
#include "specs/oci/foreign_config.h"
#include "specs/oci/image_config.h"
#include "specs/oci/layout_index.h"
#include "specs/oci/manifest.h"
#include "specs/oci/manifest_links.h"
#include "specs/oci/reference.h"
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
  Tolerate([&] {
    const specs::Manifest manifest = specs::ParseManifest(bytes, "manifest");
    Require(specs::ParseManifest(specs::RenderManifest(manifest), "again") == manifest,
            "a manifest renders to itself");
  });
  Tolerate([&] {
    const specs::ImageIndex index = specs::ParseImageIndex(bytes, "index");
    Require(specs::ParseImageIndex(specs::RenderImageIndex(index), "again") == index,
            "an index renders to itself");
  });
  Tolerate([&] { (void)specs::ParseImageConfig(bytes, "config"); });
  Tolerate([&] { (void)specs::ParseManifestLinks(bytes, "links"); });
  Tolerate([&] { (void)specs::ParseDocument(bytes, "document"); });
  Tolerate([&] { (void)specs::ParseForeignConfig(bytes, "config"); });
  Tolerate([&] { (void)specs::ParseLayoutIndex(bytes, "index.json"); });
  Tolerate([&] {
    const specs::Reference reference = specs::ParseReference(bytes);
    Require(specs::ParseReference(reference.Render()) == reference,
            "a reference renders to itself");
  });
  Tolerate([&] { (void)builder::AuthFile::Parse(bytes, "auth.json"); });
  Tolerate([&] { (void)builder::RegistryConfig::Parse(bytes, "registries.conf"); });
  (void)builder::ParseChallenges(bytes);
  (void)builder::NextLink(bytes);
}

}  // namespace imgbuild::fuzz
