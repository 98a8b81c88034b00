// What stands beside the user's work: TOML, locks, configuration.
#include "builder/host/source_config.h"
#include "specs/base/error.h"
#include "specs/base/toml.h"
#include "specs/env/lock.h"
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
  Tolerate([&] { (void)builder::ParseSourceConfig(bytes, "config.toml"); });
}

}  // namespace imgbuild::fuzz
