// One run of the program: the one place that constructs what the commands work with.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "builder/cli/options.h"
#include "builder/debian/repository.h"
#include "builder/host/environment.h"
#include "builder/host/package_sources.h"
#include "builder/net/curl_client.h"
#include "builder/pypi/index_config.h"
#include "builder/registry/down_hosts.h"
#include "builder/ui/progress.h"
#include "layers/io/executor.h"
#include "layers/store/store.h"
#include "specs/env/loader.h"

namespace imgbuild::builder {

// Parts are made when they are first asked for, on any thread: a build that changes nothing needs
// no network, no keyring and no mirror.
class Session {
 public:
  explicit Session(GlobalOptions options);
  ~Session();

  const GlobalOptions& options() const { return options_; }
  Progress& progress() { return *progress_; }
  std::int64_t now() const { return now_; }  // seconds since the epoch, when the run began

  layers::Store& store();
  layers::Executor& executor();
  CurlClient& http();
  CurlClient& cache_http();  // of shared caches, for which nobody waits long
  DownHosts& down_hosts() { return down_hosts_; }
  const HostSources& host_sources();
  const SourceConfig& source_config();

  // The spec of `file` with everything that lies over it.
  specs::LoadedSpec Load(const SpecOptions& options, const std::string& file) const;
  // From now on Load reads this in place of what `file` has on disk.
  void ReadInstead(const std::string& file, std::string text);

  DebianMirrors Mirrors(const specs::Spec& spec);
  std::optional<std::string> SnapshotTemplate(const specs::Spec& spec);
  // Believing the keys that the spec names, else the configuration, else this machine's.
  std::unique_ptr<Repository> OpenRepository(const specs::Spec& spec);
  // Of other mirrors, as they were at `now`, believing other keys.
  std::unique_ptr<Repository> OpenRepository(const specs::Spec& spec, DebianMirrors mirrors,
                                             Keyring keyring, std::int64_t now);
  // The spec's named indexes in order, then the default one.
  std::vector<IndexConfig> Indexes(const specs::Spec& spec);
  IndexConfig DefaultIndex();
  Connectivity connectivity() const {
    return options_.offline ? Connectivity::kOffline : Connectivity::kOnline;
  }

 private:
  GlobalOptions options_;
  Environment environment_;
  std::int64_t now_;
  std::unique_ptr<Progress> progress_;
  std::map<std::string, std::string> instead_;  // of files, by path
  DownHosts down_hosts_;
  std::mutex mutex_;  // of the parts below
  std::unique_ptr<layers::Store> store_;
  std::unique_ptr<layers::ThreadExecutor> executor_;
  std::unique_ptr<CurlClient> http_;
  std::unique_ptr<CurlClient> cache_http_;
  std::optional<HostSources> host_sources_;
  std::optional<SourceConfig> source_config_;
};

}  // namespace imgbuild::builder
