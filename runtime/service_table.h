// The service table, /etc/imgbuild/services: what builder/assemble writes and the supervisor reads.
//
// Text, one `key value` a line, in this order of sections:
//
//   imgbuild-services 2
//   shell /bin/bash              the command of an image without services; one line per argument
//   service NAME                 begins a service; names are [a-z0-9-]
//   type service | oneshot | job what its end with status 0 means; absent: service
//   exec ARGUMENT                one line per argument, at least one
//   dir PATH                     working directory; absent: the supervisor's own
//   env KEY=VALUE
//   env-file PATH                lines of KEY=VALUE, read at each start; "-PATH" may be missing
//   secret KEY PATH              KEY is the content of PATH, less a newline at its end
//   user NAME | UID[:GID]        runs as another user, which takes a supervisor that is root
//   umask OCTAL
//   limit NAME SOFT HARD         setrlimit(2); numbers, or "unlimited"
//   after NAME                   starts once NAME, an earlier service, is ready or done
//   ready none | tcp PORT MS | http PORT MS PATH | exec MS | delay MS
//   ready-exec ARGUMENT          of `ready exec`, one line per argument
//   live tcp PORT EVERY TIMEOUT MOST | http PORT EVERY TIMEOUT MOST PATH | exec EVERY TIMEOUT MOST
//   live-exec ARGUMENT           of `live exec`
//   restart never | on-failure | always [MOST]   failures in a row until it is given up; 0: never
//   essential                    its end for good stops the container
//   stop SIGNAL MS               signal number, then how long until SIGKILL
//   token VARIABLE               a secret made at start, unless the service finds VARIABLE set, or
//                                VARIABLE_FILE to the path of a file with it, which is then read
//   announce TEXT                shown once when ready; {token} stands for "?token=..." or nothing,
//                                {port N} for the variable IMGBUILD_PORT_N, or N: whoever publishes
//                                port N as another one says so there
//   end                          ends a service
//
// In values a backslash is written \\ and a newline \n; no other byte is special.
#pragma once

#include <cstddef>
#include <cstdint>

#include <sys/resource.h>

namespace imgbuild::runtime {

inline constexpr char kServiceTablePath[] = "/etc/imgbuild/services";
inline constexpr char kServiceTableHeader[] = "imgbuild-services 2";

inline constexpr std::size_t kMaxTable = 256 * 1024;  // bytes
inline constexpr std::size_t kMaxServices = 32;
inline constexpr std::size_t kMaxArguments = 128;      // of one command
inline constexpr std::size_t kMaxProbeArguments = 32;  // of one probe's command
inline constexpr std::size_t kMaxEnvironment = 128;    // variables of one service
inline constexpr std::size_t kMaxFiles = 16;           // env-files, and secrets, of one service
inline constexpr std::size_t kMaxLimits = 16;
inline constexpr std::size_t kMaxAfter = kMaxServices;

enum class ServiceType : std::uint8_t {
  kService,  // runs until it is stopped
  kOneshot,  // runs to its end first; without status 0 the container ends
  kJob,      // runs to its end first; its failure is told, and keeps nothing from starting
};
enum class ProbeKind : std::uint8_t { kNone, kTcp, kHttp, kExec, kDelay };
enum class RestartPolicy : std::uint8_t { kNever, kOnFailure, kAlways };

// A command with its terminating null pointer, as execve wants it.
template <std::size_t Most>
struct Arguments {
  const char* argv[Most + 1] = {};
  std::size_t size = 0;
};
using Command = Arguments<kMaxArguments>;

struct ProbeEntry {
  ProbeKind kind = ProbeKind::kNone;
  std::uint16_t port = 0;
  const char* path = nullptr;  // of kHttp
  Arguments<kMaxProbeArguments> command;
  std::uint64_t timeout_ms = 0;  // of one attempt
  // Of a liveness probe.
  std::uint64_t every_ms = 0;
  std::uint64_t most = 0;  // failures in a row that end the service
};

struct SecretEntry {
  const char* variable = nullptr;
  const char* file = nullptr;
};

struct LimitEntry {
  const char* name = nullptr;  // "nofile"
  int resource = 0;
  rlimit limit{};
};

// All pointers lead into the table's text.
struct ServiceEntry {
  const char* name = nullptr;
  ServiceType type = ServiceType::kService;
  Command command;
  const char* dir = nullptr;
  const char* env[kMaxEnvironment] = {};
  std::size_t env_size = 0;
  const char* env_files[kMaxFiles] = {};
  std::size_t env_files_size = 0;
  SecretEntry secrets[kMaxFiles];
  std::size_t secrets_size = 0;
  const char* user = nullptr;
  int umask = -1;  // -1: as it is
  LimitEntry limits[kMaxLimits];
  std::size_t limits_size = 0;
  std::size_t after[kMaxAfter] = {};  // indexes of earlier services
  std::size_t after_size = 0;
  ProbeEntry ready;
  std::uint64_t ready_ms = 30'000;  // until it is said to be slow; of kDelay: how long
  ProbeEntry live;
  RestartPolicy restart = RestartPolicy::kOnFailure;
  std::uint64_t most_failures = 10;  // in a row; 0: no limit
  bool essential = false;
  int stop_signal = 15;
  std::uint64_t stop_ms = 5'000;
  const char* token = nullptr;
  const char* announce = nullptr;
};

struct ServiceTable {
  Command shell;
  ServiceEntry services[kMaxServices];
  std::size_t size = 0;
};

// Where and why a text is no table.
struct TableError {
  const char* reason = nullptr;  // null: none
  std::size_t line = 0;          // from 1
};

// Parses `text` in place (escapes are undone, lines become strings); it must outlive the table and
// end in a zero byte at text[size].
TableError ParseServiceTable(char* text, std::size_t size, ServiceTable& table);

// Whether the two say the same of a service. Those that it comes after are compared by name.
bool SameService(const ServiceTable& a, std::size_t i, const ServiceTable& b, std::size_t k);

// The resource of setrlimit(2) that limits(7) names so: "nofile"; -1 for others.
int ResourceByName(const char* name);

}  // namespace imgbuild::runtime
