// The environment spec: what a user wrote in spec.toml, checked and with defaults filled in.
// docs/spec.md explains every key for its users.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "specs/base/digest.h"
#include "specs/base/problems.h"
#include "specs/oci/platform.h"

namespace imgbuild::specs {

struct ImageSection {
  std::string name;                 // repository-like: "notebook", "team/notebook"
  std::vector<std::string> tags;    // empty: "latest" where a name needs one
  std::vector<Platform> platforms;  // ascending; default: the host's
  std::map<std::string, std::string> env;
  std::map<std::string, std::string> labels;
  std::map<std::string, std::string> annotations;
  std::string workdir = "/work";
  std::string user = "1000";                  // "uid", "uid:gid" or a name from the image's passwd
  std::vector<std::string> entrypoint;        // empty: the supervisor
  std::vector<std::string> command;           // empty: the services, or a shell
  std::uint64_t max_layer_size = 4ull << 30;  // bytes, uncompressed
  std::vector<std::string> allow_missing_libraries;  // sonames that nothing has to bring
  std::string timezone = "Etc/UTC";  // from image.env TZ where given; sets /etc/localtime

  bool operator==(const ImageSection&) const = default;
};

enum class Suite { kBookworm, kTrixie };
enum class Profile { kSlim, kDistroless };

std::string_view SuiteName(Suite suite);        // "bookworm"
std::string_view ProfileName(Profile profile);  // "slim"

struct SystemSection {
  // An image to build on, in place of Debian packages: a registry's "HOST/NAME[:TAG][@DIGEST]", or
  // "oci:PATH[:TAG]", "oci-archive:PATH[:TAG]", "docker-archive:PATH[:NAME]" with absolute paths.
  std::optional<std::string> image;
  Suite suite = Suite::kBookworm;
  Profile profile = Profile::kSlim;
  std::vector<std::string> packages;      // Debian package names, optionally "name=version"
  std::vector<std::string> certificates;  // PEM files, absolute after parsing
  std::optional<std::string> mirror;      // transport only: no part of any digest
  std::optional<std::string> snapshot;    // URL template with {timestamp}; transport only
  std::optional<std::string> keyring;     // file of OpenPGP keys, absolute; default: the host's

  bool operator==(const SystemSection&) const = default;
};

// Whether this is the Python of that suite: "3.11", "3.13".
bool SuiteHasPython(Suite suite, std::string_view version);

// Where the path begins in an image as SystemSection::image has it; npos for a registry's.
std::size_t BaseImagePath(std::string_view image);

enum class Compile { kDefault, kAll, kNone };

struct PythonLayer {
  std::string name;                   // "web"; the first layer's is "python"
  std::vector<std::string> packages;  // PEP 508 requirements or paths of local wheels

  bool operator==(const PythonLayer&) const = default;
};

// A package index beside the default one. Credentials never stand here: environment or netrc.
struct PythonIndex {
  std::string name;
  std::optional<std::string> url;     // may come from IMGBUILD_INDEX_<NAME>_URL instead
  std::vector<std::string> packages;  // names that come from this index only (normalised)

  bool operator==(const PythonIndex&) const = default;
};

struct PythonSection {
  std::string version = "3.11";          // "3.11" (bookworm), "3.13" (trixie)
  std::vector<PythonLayer> layers;       // [0] is python.packages, then [[python.layers]]
  std::vector<std::string> constraints;  // PEP 508 requirements that restrict, never add
  Compile compile = Compile::kDefault;
  std::optional<std::string> exclude_newer;  // RFC 3339, in UTC; a date means its end
  bool allow_prereleases = false;            // python.prereleases = "allow"
  std::vector<PythonIndex> indexes;

  bool operator==(const PythonSection&) const = default;
};

struct CudaSection {
  bool enabled = false;
  std::string version;
  std::vector<std::string> components;
  std::string provider = "pypi";

  bool operator==(const CudaSection&) const = default;
};

// Files of the user's own, laid into the image.
struct FilesEntry {
  std::string from;                   // absolute after parsing
  std::string to;                     // absolute path in the image; "/x/": a file lies in /x
  std::vector<std::string> exclude;   // gitignore-like patterns
  std::optional<std::uint32_t> mode;  // for regular files
  std::string owner = "0:0";          // "uid:gid"

  bool operator==(const FilesEntry&) const = default;
};

// A file by URL and hash, laid into the image.
struct ArtifactEntry {
  std::string url;  // transport only: no part of any digest
  Sha256 sha256;
  std::string to;  // absolute path in the image: of the file, or of the folder to unpack into
  std::uint32_t mode = 0644;
  bool extract = false;              // a tar or zip archive, unpacked below `to`
  std::uint32_t strip = 0;           // leading path components dropped when extracting
  std::optional<Platform> platform;  // only for this platform

  bool operator==(const ArtifactEntry&) const = default;
};

enum class Restart { kNever, kOnFailure, kAlways };

// What an end with status 0 means: runtime/service_table.h.
enum class ServiceType { kService, kOneshot, kJob };

// When a service is ready, or no longer well.
struct Probe {
  enum class Kind { kNone, kTcp, kHttp, kExec, kDelay } kind = Kind::kNone;
  std::string http_path;             // for kHttp
  std::uint32_t port = 0;            // for kTcp and kHttp; 0: the service's port
  std::vector<std::string> command;  // for kExec
  std::uint64_t timeout_ms = 0;      // how long it is waited for; for kDelay: the delay
  std::uint64_t interval_ms = 0;     // of liveness
  std::uint64_t failures = 0;        // of liveness: in a row that end the service

  bool operator==(const Probe&) const = default;
};

// Limits of setrlimit(2); none is "unlimited".
struct ResourceLimit {
  std::optional<std::uint64_t> soft;
  std::optional<std::uint64_t> hard;

  bool operator==(const ResourceLimit&) const = default;
};

// The program that images start with, unless image.entrypoint says otherwise.
inline constexpr std::string_view kSupervisorPath = "/usr/lib/imgbuild/init";

struct Service {
  std::string name;
  std::string preset;  // "", "jupyterlab", "fasthtml", ...
  ServiceType type = ServiceType::kService;
  std::vector<std::string> command;
  std::optional<std::uint32_t> port;
  std::string app;  // "main:app" or "app.py" for web presets
  std::string dir;  // working directory; "": image.workdir
  std::map<std::string, std::string> env;
  std::vector<std::string> env_files;  // absolute paths in the image; "-/path" may be missing
  std::map<std::string, std::string> secrets;  // variable to absolute path in the image
  std::string user;                            // as image.user; "": as the supervisor
  std::optional<std::uint32_t> umask;
  std::map<std::string, ResourceLimit> limits;  // by the names of limits.conf(5): "nofile"
  std::vector<std::string> after;               // services that must be ready or done first
  Probe ready;
  Probe live;
  Restart restart = Restart::kOnFailure;
  std::uint64_t max_failures = 10;  // in a row, until it is given up; 0: never
  bool essential = false;           // its end for good stops the container
  std::string stop_signal = "TERM";
  std::uint64_t stop_timeout_ms = 5'000;
  std::string token;                 // variable of a secret made at start; or ""
  std::string announce;              // shown when ready; runtime/service_table.h has its places
  std::vector<std::string> volumes;  // folders of the image whose content lasts

  bool operator==(const Service&) const = default;
};

struct Spec {
  std::uint32_t format = 1;
  ImageSection image;
  SystemSection system;
  PythonSection python;
  CudaSection cuda;
  std::vector<FilesEntry> files;
  std::vector<ArtifactEntry> artifacts;
  std::vector<Service> services;  // in order of name

  bool operator==(const Spec&) const = default;
};

// The ports that services listen on, ascending: the image's exposed ports.
std::vector<std::uint32_t> ServicePorts(const Spec& spec);

// Whether a container of the image runs services, with the supervisor above them, unless it is
// given another command.
bool StartsServices(const Spec& spec);

// What the supervisor is asked: whether all services are ready, or whether none was given up.
enum class Health { kReady, kLive };

// The command that asks it inside the container.
std::vector<std::string> HealthCommand(Health health);

}  // namespace imgbuild::specs
