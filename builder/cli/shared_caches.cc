#include "builder/cli/shared_caches.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/core.h>

#include "builder/registry/registry_config.h"
#include "builder/share/cache_client.h"
#include "builder/share/cache_credentials.h"
#include "builder/share/http_place.h"
#include "builder/share/http_target.h"
#include "builder/share/registry_place.h"
#include "builder/share/registry_target.h"
#include "specs/base/error.h"
#include "specs/base/text.h"
#include "specs/base/url.h"

namespace imgbuild::builder {
namespace {

constexpr char kPlaces[] = "docker://HOST/NAME[:TAG]|URL";

bool IsUrl(std::string_view text) {
  return text.starts_with("http://") || text.starts_with("https://");
}

// What of the reference its repository has: a digest or a tag.
std::string NameIn(const specs::Reference& reference) {
  if (reference.digest) return reference.digest->Oci();
  return reference.tag.empty() ? "latest" : reference.tag;
}

specs::Reference ParsePlace(std::string_view option, const std::string& text) {
  return specs::WithContext(fmt::format("in {} {}", option, text),
                            [&] { return ParseRegistryReference(text); });
}

// Without credentials, for messages.
std::string ShownName(const std::string& text) {
  if (IsUrl(text)) return RedactUrl(specs::WithoutSlash(text));
  const specs::Reference reference = ParseRegistryReference(text);
  return fmt::format("{}{}{}", reference.Name(), reference.digest ? "@" : ":", NameIn(reference));
}

// One place, or several: the mirrors of a registry are places of their own before it, which may
// lack what it has.
std::vector<std::unique_ptr<CachePlace>> OpenPlaces(Session& session, const std::string& text,
                                                    const RegistryOptions& options) {
  std::vector<std::unique_ptr<CachePlace>> places;
  if (IsUrl(text)) {
    places.push_back(
        std::make_unique<HttpPlace>(std::make_unique<CacheClient>(session.cache_http()), text,
                                    CacheHeaders(Environment::OfProcess(), text)));
    return places;
  }
  const specs::Reference reference = ParsePlace("--cache-from", text);
  for (Endpoint& endpoint : EndpointsForReading(reference)) {
    auto client = std::make_unique<CacheClient>(session.cache_http());
    auto registry = OpenEndpoint(*client, std::move(endpoint), options, Access::kPull);
    places.push_back(
        std::make_unique<RegistryPlace>(std::move(client), std::move(registry), NameIn(reference)));
  }
  return places;
}

std::unique_ptr<CacheTarget> OpenTarget(Session& session, const std::string& text,
                                        const RegistryOptions& options, PushMemory& memory) {
  const Environment environment = Environment::OfProcess();
  if (IsUrl(text)) {
    return std::make_unique<HttpTarget>(session.cache_http(), text,
                                        CacheHeaders(environment, text));
  }
  const specs::Reference reference = ParsePlace("--cache-to", text);
  auto registry = OpenEndpoint(
      session.cache_http(),
      RegistryConfig::OfHost(environment).ForWriting(reference.registry, reference.repository),
      options, Access::kPush);
  return std::make_unique<RegistryTarget>(std::move(registry), NameIn(reference), memory,
                                          session.store());
}

ExportResult Export(CacheTarget& target, const CacheOptions& options, const BuiltImage& built,
                    const BuildInputs& inputs, const layers::Store& store) {
  std::vector<OutgoingEntry> entries = OutgoingPackages(inputs.packages, inputs.codec, store);
  const auto add = [&](std::vector<OutgoingEntry> more) {
    std::ranges::move(more, std::back_inserter(entries));
  };
  add(OutgoingListings(inputs.listings, store));
  if (options.archives) add(OutgoingArchives(inputs.archives, store));
  if (target.Keeps(EntryKind::kImage)) add(OutgoingImage(built.key, built.image, store));
  return target.Put(entries);
}

}  // namespace

void CheckExports(const CacheOptions& options) {
  for (const std::string& text : options.to) {
    if (IsUrl(text)) continue;
    if (!ParsePlace("--cache-to", text).digest) continue;
    throw specs::Error(specs::ErrorKind::kUsage,
                       fmt::format("--cache-to {}: a digest cannot be written to", text))
        .Expected("a tag");
  }
}

std::vector<ExportResult> ExportTo(Session& session, const CacheOptions& options,
                                   const RegistryOptions& registry, const BuiltImage& built,
                                   const BuildInputs& inputs) {
  PushMemory memory(session.store().IndexDirectory("push"));
  std::vector<ExportResult> results;
  for (const std::string& text : options.to) {
    const std::string name = ShownName(text);
    const auto task = session.progress().Begin("Sharing with " + name, ProgressUnit::kItems);
    ExportResult result{.place = name};
    try {
      if (session.connectivity() == Connectivity::kOffline) {
        throw specs::Error("--offline leaves no way to it");
      }
      const auto target = OpenTarget(session, text, registry, memory);
      result = Export(*target, options, built, inputs, session.store());
      task->Finish(fmt::format("{} entries", result.entries));
    } catch (const specs::Error& error) {
      result.failure = error.message();
      session.progress().Warning(
          fmt::format("the cache {} was not written: {}", name, error.message()));
      task->Finish("failed");
    }
    results.push_back(std::move(result));
  }
  return results;
}

void AddCacheOptions(Command command, CacheOptions& options) {
  command
      .AddOption("--cache-from", options.from,
                 "Believe what is claimed there, and take it instead of making it: an image or "
                 "cache in a registry, or the URL of an HTTP cache; may be repeated")
      .TypeName(kPlaces)
      .Repeatable();
  command
      .AddOption("--cache-to", options.to,
                 "Give what the build made to that cache, under a tag of its own in a registry; "
                 "may be repeated")
      .TypeName(kPlaces)
      .Repeatable();
  command.AddFlag("--cache-archives", options.archives,
                  "With --cache-to, the original archives of all packages, too");
}

std::unique_ptr<SharedPlaces> OpenSharedCaches(Session& session, const CacheOptions& options,
                                               const RegistryOptions& registry) {
  std::vector<std::string> texts = options.from;
  for (const std::string& text : session.source_config().cache_from) {
    if (std::ranges::find(texts, text) == texts.end()) texts.push_back(text);
  }
  if (texts.empty() || session.connectivity() == Connectivity::kOffline) return nullptr;
  std::vector<std::unique_ptr<CachePlace>> places;
  for (const std::string& text : texts) {
    if (!IsUrl(text)) (void)ParsePlace("--cache-from", text);
    try {
      std::ranges::move(OpenPlaces(session, text, registry), std::back_inserter(places));
    } catch (const specs::Error& error) {  // a helper for logins that fails, say
      session.progress().Warning(
          fmt::format("the cache {} is not used: {}", ShownName(text), error.message()));
    }
  }
  if (places.empty()) return nullptr;
  return std::make_unique<SharedPlaces>(std::move(places), session.progress());
}

}  // namespace imgbuild::builder
