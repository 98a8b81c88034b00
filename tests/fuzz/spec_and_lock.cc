// What stands beside the user's work: TOML, locks, configuration.
#include "builder/host/source_config.h"
#include "specs/base/error.h"
#include "specs/base/toml.h"
#include "specs/env/lock.h"
#include "specs/env/spec_edit.h"
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
  (void)specs::ParseToml(bytes, "spec.toml");
  Tolerate([&] {
    const specs::Lock lock = specs::ParseLock(bytes, "spec.lock");
    Require(specs::ParseLock(specs::RenderLock(lock), "again") == lock, "a lock renders to itself");
  });
  Tolerate([&] {
    const specs::EditedSpec edited = specs::AddPackages(bytes, "spec.toml", {}, {"numpy"});
    if (edited.changes.empty()) return;
    const auto once = specs::AddPackages(edited.text, "spec.toml", {}, {"numpy"});
    Require(once.changes.empty(), "what was added is there");
    (void)specs::RemovePackages(edited.text, "spec.toml", std::nullopt, {"numpy"});
  });
  Tolerate([&] { (void)builder::ParseSourceConfig(bytes, "config.toml"); });
}

}  // namespace imgbuild::fuzz
