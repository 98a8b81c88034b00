// Debian's texts: control paragraphs, relations, Release files, apt's sources, maintainer scripts.
#include "builder/debian/release_file.h"
#include "builder/host/apt_sources.h"
#include "builder/state/script.h"
#include "specs/base/error.h"
#include "specs/debian/control.h"
#include "specs/debian/relation.h"
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
  Tolerate([&] { (void)specs::ParseControl(bytes, "control"); });
  Tolerate([&] { (void)specs::ParseDebianRelations(bytes); });
  Tolerate([&] { (void)builder::ParseRelease(bytes, "Release"); });
  Tolerate([&] { (void)builder::ParseReleaseDate(bytes); });
  Tolerate([&] { (void)builder::ParseAptList(bytes, "sources.list"); });
  Tolerate([&] { (void)builder::ReadScript(bytes); });
}

}  // namespace imgbuild::fuzz
