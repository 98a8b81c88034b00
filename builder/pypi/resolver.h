// Chooses a version and a file for every Python package that a set of requirements needs.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "builder/net/http_client.h"
#include "builder/pypi/index_config.h"
#include "builder/pypi/target.h"
#include "specs/base/digest.h"
#include "specs/base/error.h"
#include "specs/python/requirement.h"

namespace imgbuild::builder {

// When pre-releases are chosen.
enum class Prereleases {
  // Where no final release in the wanted range is usable: PEP 440's fallback, which covers ranges
  // that name a pre-release ("==2.0rc1") too, as uv reads "if-necessary-or-explicit".
  kIfNecessary,
  kAllow,  // like any other release
};

// Sdists have no place in images; `debug resolve` may choose one whose metadata is static.
enum class Sdists { kNever, kStaticMetadata };

// A wheel on this machine in place of any release of its project.
struct LocalWheel {
  std::string filename;
  std::string path;            // as the spec writes it: goes to the result
  std::filesystem::path file;  // where it lies
};

// Requirements of a part of the spec that an image may be without. They are solved together with
// the others, so that leaving them out moves no version.
struct OptionalPart {
  std::string name;  // as it stands in `required_by` and `roots`: "cuda"
  std::vector<specs::Requirement> requirements;
};

struct ResolveInput {
  PythonTarget target;
  std::vector<specs::Requirement> requirements;  // of the user; markers are evaluated
  std::vector<specs::Requirement> constraints;   // restrict what is chosen, add nothing
  std::vector<LocalWheel> wheels;                // each is also a requirement
  OptionalPart optional;
  // Normalised names of meta-packages: what the extras of the chosen release require holds for
  // those packages wherever they come from, like constraints.
  std::set<std::string> binding;
  Prereleases prereleases = Prereleases::kIfNecessary;
  Sdists sdists = Sdists::kNever;
  std::set<std::string> no_binary;            // normalised names whose wheels are not used; ":all:"
  std::set<std::string> no_build;             // ... whose sdists are not used; ":all:"
  std::optional<std::int64_t> exclude_newer;  // microseconds: files uploaded at or after it, and
                                              // those that do not say, do not exist
  // Normalised name -> versions to keep, best first: the first that fits is tried before others.
  std::map<std::string, std::vector<std::string>> preferences;
};

struct ResolveContext {
  HttpClient& http;
  std::vector<IndexConfig> indexes;    // in order; the default one last
  std::filesystem::path cache_folder;  // "": nothing is kept between runs
  Connectivity connectivity = Connectivity::kOnline;
  std::int64_t now = 0;  // seconds since the epoch
  // Called now and then on the calling thread with how much is known; may be empty.
  std::function<void(std::size_t decided, std::string_view current)> progress;
};

struct ResolvedPackage {
  std::string name;     // normalised
  std::string version;  // as the file name writes it
  std::string filename;
  std::string url;                      // transport only, never for a lock; "" for local wheels
  std::string path;                     // of local wheels
  std::optional<std::uint64_t> size;    // where the index says
  std::optional<specs::Sha256> sha256;  // where the index says
  std::string index;                    // its name, or "local"
  std::set<std::string> extras;         // asked for by anything chosen
  std::set<std::string> required_by;    // normalised names, and roots that name it
  // Who reaches it, however far away: "spec" (the user's requirements), the optional part's name.
  std::set<std::string> roots;
};

struct Resolution {
  std::vector<ResolvedPackage> packages;  // by name
  std::vector<std::string> warnings;      // sentences: an extra that does not exist, a yanked pin
};

// The cut that `text` means for ResolveInput::exclude_newer: a date-time (RFC 3339), or a date,
// which means the end of that day in UTC. nullopt on anything else.
std::optional<std::int64_t> ParseExcludeNewer(std::string_view text);

// Throws Error: kUnresolvable with an explanation in sentences and hints, kUsage for requirements
// that cannot be honoured (a URL), kFailure where an index or the metadata of a release that was
// needed cannot be had. One answer for one state of the indexes, whatever arrives first.
Resolution ResolvePython(const ResolveInput& input, ResolveContext context);

}  // namespace imgbuild::builder
