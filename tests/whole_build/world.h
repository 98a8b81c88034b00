// A small world to build images from: a signed Debian archive, a package index and files to fetch,
// all on loopback, and the program under test as a child process.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "tests/support/fake_http.h"
#include "tests/support/loopback_server.h"
#include "tests/support/mini_archive.h"
#include "tests/support/mini_index.h"

namespace imgbuild::whole_build {

// kSmall leaves out what is only there to be large.
enum class Contents { kAll, kSmall };

// Named as in the profile "slim" of bookworm, so that specs need nothing but what users write.
class World {
 public:
  explicit World(Contents contents = Contents::kAll);

  // Everything that is served answers on a new port from now on, without open connections.
  void Restart();

  // What honest servers answer.
  support::ServedResponse Answer(const support::ServedRequest& request);
  // Asked first from now on; where it has no answer, honest ones follow. Null: honest again. Called
  // from several threads.
  using Fault =
      std::function<std::optional<support::ServedResponse>(const support::ServedRequest&)>;
  void SetFault(Fault fault);
  // Another version of a project, from now on.
  void Upload(const std::string& name, const std::string& version,
              const std::vector<std::string>& requires_dist = {}) {
    std::lock_guard lock(mutex_);
    AddWheel(name, version, requires_dist, 1000);
  }
  // Signs and serves the Debian suite anew, changed.
  void Republish(const std::function<void(support::MiniSuite&)>& change);

  // How often the servers were asked since the last Restart.
  std::size_t requests() const { return server_->requests().size(); }

  // "127.0.0.1:PORT".
  std::string host() const { return server_->url().substr(7); }
  std::string public_key() const { return archive_.signer().PublicKey(); }
  const std::vector<support::MiniDeb>& debs() const { return suite_.packages; }
  // Path below site-packages -> content, of all wheels.
  const std::map<std::string, std::string>& modules() const { return modules_; }
  // Of what lies at kFilesUrl/tool, for [[artifacts]].
  std::string tool_sha256() const;

 private:
  void AddDebs();
  void AddWheel(const std::string& name, const std::string& version,
                const std::vector<std::string>& requires_dist, std::size_t size);

  support::FakeHttp http_;
  support::MiniArchive archive_;
  support::MiniSuite suite_;
  support::MiniIndex index_;
  std::map<std::string, std::string> modules_;
  std::mutex mutex_;  // of what changes while servers run
  Fault fault_;
  std::unique_ptr<support::LoopbackServer> server_;
};

// Reached by way of a proxy, so that the URL in specs is always the same.
inline constexpr char kFilesUrl[] = "http://files.example";  // a query is passed over
inline constexpr char kUser[] = "somebody";
inline constexpr char kPassword[] = "hush-hush";

// One run of the program in a folder of its own.
struct Invocation {
  std::filesystem::path folder;
  std::filesystem::path cache;
  std::vector<std::string> arguments;
  std::map<std::string, std::string> environment;  // beside what Start sets
  mode_t umask = 022;
  std::optional<uid_t> user;                    // where this process is root
  std::optional<std::uint64_t> most_file_size;  // RLIMIT_FSIZE
  std::optional<int> ignored_signal;            // as nohup does
};

struct Ended {
  int status = 0;  // exit status, or 128 + the signal
  std::string output;
};

// The program at work; sources are those of `world`, with credentials in their URLs. Ended by
// SIGKILL where nobody waited.
class Running {
 public:
  Running(const World& world, const Invocation& run);
  ~Running();
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  void Signal(int number) const;
  Ended Wait();

 private:
  std::filesystem::path log_;
  pid_t child_ = -1;
};

// Returns when it has ended; after `kill_after`, where given, by SIGKILL.
Ended Execute(const World& world, const Invocation& run,
              std::optional<std::chrono::microseconds> kill_after = std::nullopt);

// Bytes that do not compress, always the same for one seed.
std::string Noise(std::size_t size, std::uint32_t seed);

}  // namespace imgbuild::whole_build
