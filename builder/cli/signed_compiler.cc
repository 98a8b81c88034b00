#include "builder/cli/signed_compiler.h"

#include <algorithm>
#include <optional>

#include <fmt/core.h>

#include "builder/debian/deb_address.h"
#include "builder/debian/openpgp.h"
#include "builder/pypi/simple_json.h"
#include "layers/io/file.h"
#include "specs/base/error.h"
#include "specs/base/key.h"

namespace imgbuild::builder {
namespace {

constexpr std::uint64_t kLargestKeyring = 64u << 20;

Keyring TrustedKeyring(Session& session) {
  const std::optional<std::string>& configured = session.source_config().debian_keyring;
  return configured ? Keyring{{*configured}} : HostDebianKeyring();
}

specs::Sha256 RecordKey(const Keyring& keyring, const specs::LockedCompiler& compiler) {
  specs::KeyBuilder key("signed-compiler/1");
  for (const std::filesystem::path& file : keyring.files) {
    key.Add("keyring", layers::ReadFile(file, kLargestKeyring));
  }
  for (const specs::LockedPackage& package : compiler.packages) {
    key.Add(package.name, package.sha256);
  }
  return key.Finish();
}

// The mirrors of when it was locked, and when that was.
struct Snapshot {
  DebianMirrors mirrors;
  std::int64_t date = 0;  // seconds since the epoch
};

std::optional<Snapshot> SnapshotOf(const specs::Lock& lock,
                                   const std::optional<std::string>& address) {
  if (!address) return std::nullopt;
  Snapshot snapshot;
  std::string newest;  // of the archive's own suites
  for (const specs::LockedSuite& suite : lock.suites) {
    const std::optional<std::int64_t> date = ParseTimestamp(suite.date);
    const std::optional<std::string> mirror = SnapshotMirror(*address, suite);
    if (!date || !mirror) return std::nullopt;
    snapshot.date = std::max(snapshot.date, *date / 1'000'000);
    const bool security = suite.name.ends_with("-security");
    if (!security && suite.date < newest) continue;
    if (!security) newest = suite.date;
    (security ? snapshot.mirrors.security : snapshot.mirrors.archive) = {*mirror, "snapshot"};
  }
  return snapshot;
}

// Says what they lack.
bool HaveAll(const PackageIndex& lists, const specs::LockedCompiler& compiler, Progress& progress) {
  for (const specs::LockedPackage& package : compiler.packages) {
    const auto same = [&](const Package& candidate) {
      return candidate.version() == package.version && candidate.sha256() == package.sha256;
    };
    if (std::ranges::any_of(lists.Candidates(package.name), same)) continue;
    progress.Detail(
        fmt::format("no package list has {} {} of the lock", package.name, package.version));
    return false;
  }
  return true;
}

}  // namespace

bool IsSignedCompiler(Session& session, const specs::Spec& spec, const specs::Lock& lock,
                      const specs::LockedCompiler& compiler) {
  try {
    const Keyring keyring = TrustedKeyring(session);
    const specs::Sha256 record = RecordKey(keyring, compiler);
    if (session.store().FindAction(record)) return true;
    const auto found = [&](const DebianMirrors& mirrors, std::int64_t now) {
      const auto repository = session.OpenRepository(spec, mirrors, keyring, now);
      return HaveAll(repository->Load(compiler.host.architecture), compiler, session.progress());
    };
    bool is_signed = found(session.Mirrors(spec), session.now());
    if (!is_signed) {
      const auto snapshot = SnapshotOf(lock, session.SnapshotTemplate(spec));
      is_signed = snapshot && found(snapshot->mirrors, snapshot->date);
    }
    if (is_signed) session.store().PutAction(record, "signed");
    return is_signed;
  } catch (const specs::Error& error) {
    session.progress().Detail(
        fmt::format("whether the lock's Python is signed is not known: {}", error.message()));
    return false;
  }
}

}  // namespace imgbuild::builder
