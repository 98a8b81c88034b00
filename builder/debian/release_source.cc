#include "builder/debian/release_source.h"

#include <fmt/format.h>

#include "layers/io/atomic_file.h"
#include "layers/io/file.h"
#include "specs/base/error.h"
#include "specs/base/key.h"
#include "specs/base/text.h"
#include "specs/debian/control.h"

namespace imgbuild::builder {
namespace {

using specs::Error;
using specs::ErrorKind;

constexpr std::uint64_t kLargestRelease = 32ull << 20;
constexpr std::int64_t kDay = 86'400;

std::string Age(std::int64_t seconds) {
  if (seconds >= 2 * kDay) return fmt::format("{} days", seconds / kDay);
  if (seconds >= 2 * 3600) return fmt::format("{} hours", seconds / 3600);
  return fmt::format("{} minutes", seconds / 60);
}

std::optional<std::string> ReadIfThere(const std::filesystem::path& path) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored)) return std::nullopt;
  return layers::ReadFile(path, kLargestRelease);
}

std::string FieldOf(const specs::ControlStanza& stanza, std::string_view name) {
  return std::string(stanza.Get(name).value_or(""));
}

specs::Sha256 KeyringDigest(const Keyring& keyring) {
  specs::KeyBuilder key("keyring");
  for (const std::filesystem::path& file : keyring.files) {
    key.Add("file", layers::ReadFile(file, 64ull << 20));
  }
  return key.Finish();
}

// The mirror as messages show it.
std::string Shown(const SuiteAtMirror& suite) {
  return fmt::format("{}/InRelease (the mirror comes from {})", RedactUrl(suite.url()),
                     suite.mirror.origin);
}

}  // namespace

VerifiedRelease ReleaseSource::Get() {
  std::optional<Cached> cached = ReadCached();
  if (options_.network == NetworkUse::kOffline) {
    if (!cached) {
      throw Error(fmt::format("the Release file of {} is not in the cache", suite_.part.name))
          .Found("--offline")
          .Hint("run it once without --offline");
    }
    if (IsExpired(cached->release.file)) {
      progress_.Warning(
          fmt::format("the cached Release file of {} expired {} ago; used because of --offline",
                      suite_.part.name, Age(options_.now - *cached->release.file.valid_until)));
    }
    return cached->release;
  }
  if (cached && !IsExpired(cached->release.file)) {
    std::int64_t age = options_.now - cached->checked;
    if (age >= 0 && age < options_.fresh_for) return cached->release;
  }
  return Refresh();
}

VerifiedRelease ReleaseSource::Refresh() {
  std::optional<Cached> cached = ReadCached();
  HttpResponse response = Ask(cached);
  VerifiedRelease release;
  std::string text;
  if (response.status == 304) {
    release = cached->release;
  } else {
    text = Verify(response.body);
    release = Parsed(text);
  }
  CheckIdentity(release.file);
  if (cached && cached->release.file.date > release.file.date && !IsExpired(cached->release.file)) {
    progress_.Detail(fmt::format("{}: the mirror is behind what is cached", suite_.part.name));
    release = cached->release;
    release.just_asked = true;
    return release;
  }
  CheckDates(release.file);
  if (response.status != 304) {
    layers::WriteFileAtomically(suite_.folder / "InRelease", response.body);
    layers::WriteFileAtomically(suite_.folder / "Release", text);
    WriteState({specs::HashOf(response.body), release.digest, std::string(response.Header("ETag")),
                std::string(response.Header("Last-Modified"))});
  } else {
    WriteState({cached->raw, release.digest, cached->etag, cached->last_modified});
  }
  release.just_asked = true;
  return release;
}

HttpResponse ReleaseSource::Ask(const std::optional<Cached>& cached) const {
  HttpRequest request;
  request.url = suite_.url() + "/InRelease";
  request.max_body = kLargestRelease;
  if (cached && !cached->etag.empty()) request.headers.push_back({"If-None-Match", cached->etag});
  if (cached && !cached->last_modified.empty()) {
    request.headers.push_back({"If-Modified-Since", cached->last_modified});
  }
  HttpResponse response;
  try {
    response = client_.Fetch(std::move(request));
  } catch (Error& error) {
    error.In(fmt::format("while asking {}", Shown(suite_)));
    throw;
  }
  bool confirmed = response.status == 304 && cached;
  if (response.status == 200 || confirmed) return response;
  throw Error(fmt::format("the Debian mirror has no suite {}", suite_.part.name))
      .Found(fmt::format("HTTP {} for {}", response.status, Shown(suite_)))
      .Expected("the base address of a Debian archive, below which dists/ lies")
      .Hint("name another mirror with IMGBUILD_DEBIAN_MIRROR, or system.mirror in the spec");
}

std::string ReleaseSource::Verify(std::string_view raw) const {
  std::string what = fmt::format("the Release file of {}", suite_.part.name);
  VerifiedText verified = specs::WithContext(
      "from " + Shown(suite_), [&] { return VerifyClearSigned(raw, options_.keyring, what); });
  return std::move(verified.text);
}

VerifiedRelease ReleaseSource::Parsed(std::string_view verified) const {
  VerifiedRelease release;
  release.file = ParseRelease(verified, suite_.part.name + "/InRelease");
  release.digest = specs::HashOf(verified);
  return release;
}

void ReleaseSource::CheckIdentity(const ReleaseFile& release) const {
  if (release.codename == suite_.part.name || release.suite == suite_.part.name) return;
  throw Error(ErrorKind::kVerification,
              fmt::format("the mirror serves another suite as {}", suite_.part.name))
      .Found(fmt::format("codename \"{}\", suite \"{}\" at {}", release.codename, release.suite,
                         Shown(suite_)))
      .Expected(fmt::format("codename \"{}\"", suite_.part.name))
      .Hint("name another mirror with IMGBUILD_DEBIAN_MIRROR, or system.mirror in the spec");
}

void ReleaseSource::CheckDates(const ReleaseFile& release) const {
  if (IsExpired(release)) {
    throw Error(ErrorKind::kVerification,
                fmt::format("the Release file of {} has expired", suite_.part.name))
        .Found(fmt::format("valid until {}, {} ago, from {}", Rfc3339(*release.valid_until),
                           Age(options_.now - *release.valid_until), Shown(suite_)))
        .Expected("a mirror that is kept up to date")
        .Hint("check this machine's clock, or name another mirror with IMGBUILD_DEBIAN_MIRROR");
  }
  if (release.date > options_.now + kDay) {
    throw Error(ErrorKind::kVerification,
                fmt::format("the Release file of {} is dated in the future", suite_.part.name))
        .Found(fmt::format("{}, {} from now, from {}", Rfc3339(release.date),
                           Age(release.date - options_.now), Shown(suite_)))
        .Hint("check this machine's clock");
  }
}

// What cannot be used any more counts as absent: it is fetched anew.
std::optional<ReleaseSource::Cached> ReleaseSource::ReadCached() const {
  try {
    std::optional<std::string> raw = ReadIfThere(suite_.folder / "InRelease");
    if (!raw) return std::nullopt;
    Cached cached;
    std::optional<std::string> state = ReadIfThere(suite_.folder / "state");
    std::vector<specs::ControlStanza> stanzas;
    if (state) stanzas = specs::ParseControl(*state, "state");
    bool known = stanzas.size() == 1 && FieldOf(stanzas[0], "Digest") == specs::HashOf(*raw).Hex();
    std::optional<std::string> text = ReadIfThere(suite_.folder / "Release");
    if (known && text && FieldOf(stanzas[0], "Release") == specs::HashOf(*text).Hex() &&
        FieldOf(stanzas[0], "Keyring") == KeyringDigest(options_.keyring).Hex()) {
      cached.release = Parsed(*text);
    } else {
      cached.release = Parsed(Verify(*raw));
    }
    CheckIdentity(cached.release.file);
    cached.raw = specs::HashOf(*raw);
    if (!known) return cached;
    cached.checked =
        static_cast<std::int64_t>(specs::ParseUnsigned(FieldOf(stanzas[0], "Checked")).value_or(0));
    cached.etag = FieldOf(stanzas[0], "ETag");
    cached.last_modified = FieldOf(stanzas[0], "Last-Modified");
    return cached;
  } catch (const Error& error) {
    progress_.Detail(
        fmt::format("{}: what is cached cannot be used: {}", suite_.part.name, error.message()));
    return std::nullopt;
  }
}

void ReleaseSource::WriteState(const State& of) const {
  specs::ControlStanza state;
  state.Set("Digest", of.raw.Hex());
  state.Set("Release", of.release.Hex());
  state.Set("Keyring", KeyringDigest(options_.keyring).Hex());
  state.Set("Checked", std::to_string(options_.now));
  state.Set("ETag", of.etag);
  state.Set("Last-Modified", of.last_modified);
  layers::WriteFileAtomically(suite_.folder / "state", specs::RenderControl({state}));
}

}  // namespace imgbuild::builder
