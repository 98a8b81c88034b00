#include "builder/debian/deb_address.h"

#include <fmt/format.h>

#include "builder/debian/release_file.h"
#include "builder/net/http_client.h"
#include "specs/base/text.h"
#include "specs/base/url.h"

namespace imgbuild::builder {
namespace {

using specs::Error;
using specs::ErrorKind;

constexpr std::string_view kTimestamp = "{timestamp}";
constexpr std::string_view kArchive = "{archive}";

std::string_view SuiteOf(std::string_view source) { return source.substr(0, source.find('/')); }

bool IsSecurity(std::string_view suite) { return suite.ends_with("-security"); }

// Paths come from locks, which people edit: only what cannot leave the mirror's tree, and "+" as
// apt writes it, since some servers read a plain one as a space.
std::string EncodedPath(const specs::LockedPackage& package) {
  std::string encoded;
  bool good = !package.path.empty();
  for (std::string_view part : specs::Split(package.path, '/')) {
    good = good && !part.empty() && part != "." && part != "..";
  }
  for (char c : package.path) {
    bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (plain || std::string_view("/.-_~:").find(c) != std::string_view::npos) {
      encoded += c;
    } else {
      good = good && c > ' ' && c < 127;
      encoded += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  if (!good) {
    throw Error(ErrorKind::kUsage, fmt::format("the lock has no path for {}", package.name))
        .Found(fmt::format("\"{}\"", package.path))
        .Expected("a path below the mirror, as in \"pool/main/g/glibc/libc6_2.36-9_amd64.deb\"");
  }
  return encoded;
}

std::string Replaced(std::string text, std::string_view what, std::string_view with) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size()) {
    text.replace(at, what.size(), with);
  }
  return text;
}

}  // namespace

std::optional<std::string> SnapshotMirror(const std::string& snapshot,
                                          const specs::LockedSuite& suite) {
  if (snapshot.find(kTimestamp) == std::string::npos) {
    throw Error(ErrorKind::kUsage, "the snapshot address has no {timestamp}")
        .Found(RedactUrl(snapshot))
        .Expected("https://snapshot.example/archive/{archive}/{timestamp}");
  }
  const std::optional<std::string> timestamp = SnapshotTimestamp(suite.date);
  if (!timestamp) return std::nullopt;
  std::string base = Replaced(snapshot, kTimestamp, *timestamp);
  base = Replaced(std::move(base), kArchive, IsSecurity(suite.name) ? "debian-security" : "debian");
  return specs::WithoutSlash(base);
}

std::vector<DownloadAddress> DebAddresses(const specs::LockedPackage& package,
                                          const std::vector<specs::LockedSuite>& suites,
                                          const DebianMirrors& mirrors,
                                          const std::optional<std::string>& snapshot) {
  const std::string path = EncodedPath(package);
  const SourceSetting& mirror =
      IsSecurity(SuiteOf(package.source)) ? mirrors.security : mirrors.archive;
  std::vector<DownloadAddress> addresses = {
      {fmt::format("{}/{}", mirror.url, path), mirror.origin}};
  if (!snapshot) return addresses;
  for (const specs::LockedSuite& suite : suites) {
    if (suite.name != SuiteOf(package.source)) continue;
    const std::optional<std::string> base = SnapshotMirror(*snapshot, suite);
    if (base) addresses.push_back({fmt::format("{}/{}", *base, path), "snapshot"});
  }
  return addresses;
}

Error SupersededDeb(const specs::LockedPackage& package, const std::vector<DownloadAddress>& tried,
                    const std::optional<std::string>& snapshot, std::string_view spec_file) {
  std::vector<std::string> places;
  for (const DownloadAddress& address : tried) {
    places.push_back(fmt::format("{} ({})", RedactUrl(address.url), address.origin));
  }
  std::string hint = specs::LockCommand(spec_file, package.name);
  if (!snapshot) {
    hint += "\nor name an archive that keeps old packages: system.snapshot in the spec";
  }
  return Error(fmt::format("{} {} is no longer on the mirror: a newer version replaced it",
                           package.name, package.version))
      .Found("404 at " + specs::Join(places, " and "))
      .Expected(package.file)
      .Hint(std::move(hint));
}

}  // namespace imgbuild::builder
