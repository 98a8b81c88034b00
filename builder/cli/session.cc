#include "builder/cli/session.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <thread>

#include <fmt/core.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "builder/cli/interrupt.h"
#include "builder/cli/local_files.h"
#include "builder/cli/trace_file.h"
#include "builder/cli/version.h"
#include "builder/host/source_config.h"
#include "builder/host/user_paths.h"
#include "builder/pypi/index_client.h"
#include "layers/io/file.h"
#include "specs/base/error.h"
#include "specs/base/text.h"
#include "specs/oci/platform.h"
#include "specs/python/name.h"

namespace imgbuild::builder {
namespace {

constexpr std::uint64_t kMostSeconds = 86'400;
constexpr std::uint64_t kCacheConnectMs = 3000;

void WriteTo(std::FILE* stream, std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stream);
  std::fflush(stream);
}

std::size_t TerminalColumns() {
  winsize size{};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

std::unique_ptr<Progress> MakeProgress(const GlobalOptions& options) {
  if (options.style == ReportStyle::kJson) {
    return MakeJsonProgress([](std::string_view text) { WriteTo(stdout, text); });
  }
  auto to_stderr = [](std::string_view text) { WriteTo(stderr, text); };
  const bool bars = options.style == ReportStyle::kAutomatic &&
                    options.verbosity != Verbosity::kQuiet && isatty(STDERR_FILENO) == 1;
  if (bars) return MakeTerminalProgress(to_stderr, TerminalColumns, options.verbosity);
  return MakePlainProgress(to_stderr, options.verbosity);
}

// Borrows the progress.
CurlOptions NetworkOptions(const Environment& environment, Progress& progress) {
  CurlOptions options{.user_agent = "imgbuild/" + std::string(kVersion)};
  options.waiting = [&progress](const HttpWait& wait) {
    progress.Info(
        fmt::format("{}; trying again in {} s", wait.reason, (wait.milliseconds + 999) / 1000));
  };
  if (const auto given = environment.Get("IMGBUILD_TIMEOUT")) {
    const auto seconds = specs::ParseUnsigned(*given);
    if (!seconds || *seconds < 1 || *seconds > kMostSeconds) {
      throw specs::Error(specs::ErrorKind::kUsage, "IMGBUILD_TIMEOUT is no number of seconds")
          .Found(*given)
          .Expected(fmt::format("1 to {}", kMostSeconds));
    }
    options.stall_timeout_s = *seconds;
    options.connect_timeout_ms = *seconds * 1000;
  }
  options.ca_file =
      environment.FirstOf({"SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "PIP_CERT"})
          .value_or("");
  options.ca_directory = environment.Get("SSL_CERT_DIR").value_or("");
  const std::filesystem::path netrc = NetrcFile(environment);
  std::error_code error;
  if (!netrc.empty() && std::filesystem::exists(netrc, error)) options.netrc_file = netrc.string();
  return options;
}

std::int64_t SecondsNow() {
  return std::chrono::duration_cast<std::chrono::seconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

// Of a spec or what lies over or under it.
std::optional<std::string> ReadIfThere(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return std::nullopt;
  if (std::filesystem::is_directory(path, error)) {
    throw specs::Error(specs::ErrorKind::kUsage, path + " is a directory")
        .Expected("a spec, such as " + (std::filesystem::path(path) / "spec.toml").string());
  }
  return layers::ReadFile(path, 16u << 20);
}

void RequirePlatform(const std::string& platform) {
  if (specs::Platform::Parse(platform)) return;
  throw specs::Error(specs::ErrorKind::kUsage, fmt::format("--platform {}: unknown", platform))
      .Expected("linux/amd64 or linux/arm64");
}

// Throws Error (kUsage) where `file` is not there, with what was probably meant.
void RequireSpec(const std::string& file) {
  namespace fs = std::filesystem;
  std::error_code error;
  if (fs::exists(file, error)) return;
  const fs::path folder = fs::path(file).parent_path();
  std::vector<std::string> names;  // without the ending, which all have in common
  for (fs::directory_iterator entry(folder.empty() ? "." : folder, error), end;
       !error && entry != end; entry.increment(error)) {
    const fs::path name = entry->path().filename();
    if (name.extension() == ".toml") names.push_back((folder / name.stem()).string());
  }
  std::sort(names.begin(), names.end());
  const std::string stem = file.ends_with(".toml") ? file.substr(0, file.size() - 5) : file;
  std::string hint;
  for (const std::string& name : specs::Nearest(stem, names)) {
    hint += fmt::format("{}{}.toml", hint.empty() ? "did you mean " : " or ", name);
  }
  if (!hint.empty()) hint += "?";
  if (hint.empty()) hint = "name a spec: imgbuild build FILE.toml";
  throw specs::Error(specs::ErrorKind::kUsage,
                     fmt::format("there is no spec {}", file.empty() ? "\"\"" : file))
      .Hint(std::move(hint));
}

}  // namespace

Session::Session(GlobalOptions options)
    : options_(std::move(options)),
      environment_(Environment::OfProcess()),
      now_(SecondsNow()),
      progress_(MakeProgress(options_)) {
  if (options_.trace.empty()) return;
  progress_ = WithTraceFile(std::move(progress_), options_.trace);
  BeforeInterruptedEnd([this] { progress_->Flush(); });
}

Session::~Session() {
  if (!options_.trace.empty()) BeforeInterruptedEnd(nullptr);
}

layers::Store& Session::store() {
  std::lock_guard lock(mutex_);
  if (!store_) {
    store_ = std::make_unique<layers::Store>(
        options_.cache_dir.empty() ? CacheDirectory(environment_) : options_.cache_dir);
  }
  return *store_;
}

layers::Executor& Session::executor() {
  std::lock_guard lock(mutex_);
  if (!executor_) {
    const unsigned jobs =
        options_.jobs > 0 ? options_.jobs : std::max(1u, std::thread::hardware_concurrency());
    executor_ = std::make_unique<layers::ThreadExecutor>(jobs);
  }
  return *executor_;
}

CurlClient& Session::http() {
  std::lock_guard lock(mutex_);
  if (!http_) http_ = std::make_unique<CurlClient>(NetworkOptions(environment_, *progress_));
  return *http_;
}

CurlClient& Session::cache_http() {
  std::lock_guard lock(mutex_);
  if (!cache_http_) {
    CurlOptions options = NetworkOptions(environment_, *progress_);
    options.connect_timeout_ms = std::min(options.connect_timeout_ms, kCacheConnectMs);
    cache_http_ = std::make_unique<CurlClient>(std::move(options));
  }
  return *cache_http_;
}

const HostSources& Session::host_sources() {
  std::lock_guard lock(mutex_);
  if (!host_sources_) host_sources_ = ReadHostSources(environment_);
  return *host_sources_;
}

const SourceConfig& Session::source_config() {
  std::lock_guard lock(mutex_);
  if (!source_config_) source_config_ = ReadSourceConfig(ConfigFile(environment_));
  return *source_config_;
}

specs::LoadedSpec Session::Load(const SpecOptions& options, const std::string& file) const {
  RequireSpec(file);
  specs::SpecRequest request{
      .file = file,
      .overlay = options.no_local ? specs::LocalOverlay::kIgnore : specs::LocalOverlay::kApply,
      .settings = options.settings,
      .read_file = [this](const std::string& path) {
        const auto found = instead_.find(path);
        return found == instead_.end() ? ReadIfThere(path) : std::optional(found->second);
      }};
  if (options.local_files == LocalFiles::kRequired) request.check_local = LocalProblem;
  if (!options.platforms.empty()) {
    std::string list;
    for (const std::string& platform : options.platforms) {
      RequirePlatform(platform);
      list += (list.empty() ? "\"" : ", \"") + platform + "\"";
    }
    request.settings.push_back("image.platforms=[" + list + "]");
  }
  return specs::LoadSpec(request);
}

void Session::ReadInstead(const std::string& file, std::string text) {
  instead_[file] = std::move(text);
}

DebianMirrors Session::Mirrors(const specs::Spec& spec) {
  return FindDebianMirrors(environment_, spec.system.mirror, source_config(), host_sources());
}

std::optional<std::string> Session::SnapshotTemplate(const specs::Spec& spec) {
  if (auto given = environment_.Get("IMGBUILD_DEBIAN_SNAPSHOT")) return given;
  if (spec.system.snapshot) return spec.system.snapshot;
  return source_config().debian_snapshot;
}

std::unique_ptr<Repository> Session::OpenRepository(const specs::Spec& spec) {
  const std::optional<std::string> keyring =
      spec.system.keyring ? spec.system.keyring : source_config().debian_keyring;
  return OpenRepository(spec, Mirrors(spec), keyring ? Keyring{{*keyring}} : HostDebianKeyring(),
                        now_);
}

std::unique_ptr<Repository> Session::OpenRepository(const specs::Spec& spec, DebianMirrors mirrors,
                                                    Keyring keyring, std::int64_t now) {
  RepositoryOptions options{
      .mirrors = std::move(mirrors),
      .keyring = std::move(keyring),
      .cache = store().IndexDirectory("debian"),
      .network = options_.offline ? NetworkUse::kOffline : NetworkUse::kOnline,
      .now = now};
  return std::make_unique<Repository>(spec.system.suite, std::move(options), http(), *progress_);
}

IndexConfig Session::DefaultIndex() {
  const SourceSetting found = FindPythonIndex(environment_, source_config(), host_sources());
  IndexConfig config = MakeIndex("default", found.url);
  config.origin = found.origin;
  return config;
}

std::vector<IndexConfig> Session::Indexes(const specs::Spec& spec) {
  std::vector<IndexConfig> indexes;
  for (const specs::PythonIndex& index : spec.python.indexes) {
    const NamedIndex found = FindNamedIndex(environment_, index.name, index.url, source_config());
    IndexConfig config = MakeIndex(index.name, found.setting.url);
    config.origin = found.setting.origin;
    for (const std::string& name : index.packages) {
      config.packages.push_back(specs::NormalizeName(name));
    }
    indexes.push_back(std::move(config));
  }
  indexes.push_back(DefaultIndex());
  return indexes;
}

}  // namespace imgbuild::builder
