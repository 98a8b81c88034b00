// The service table, /etc/imgbuild/services: what builder/assemble writes and the supervisor reads.
//
// Text, one `key value` a line, in this order of sections:
//
//   imgbuild-services 1
//   shell /bin/bash              the command of an image without services; one line per argument
//   service NAME                 begins a service; names are [a-z0-9-]
//   exec ARGUMENT                one line per argument, at least one
//   dir PATH                     working directory; absent: the supervisor's own
//   env KEY=VALUE
//   after NAME                   starts once NAME, an earlier service, is ready
//   ready none | tcp PORT MS | http PORT MS PATH
//   restart never | on-failure | always
//   essential                    its end for good stops the container
//   stop SIGNAL MS               signal number, then how long until SIGKILL
//   token VARIABLE               a secret made at start, unless the environment has VARIABLE or the
//                                path of a file with it in VARIABLE_FILE
//   announce TEXT                shown once when ready; {token} stands for "?token=..." or nothing,
//                                {port N} for the variable IMGBUILD_PORT_N, or N: whoever publishes
//                                port N as another one says so there
//   end                          ends a service
//
// In values a backslash is written \\ and a newline \n; no other byte is special.
#pragma once

#include <cstddef>
#include <cstdint>

namespace imgbuild::runtime {

inline constexpr char kServiceTablePath[] = "/etc/imgbuild/services";
inline constexpr char kServiceTableHeader[] = "imgbuild-services 1";

inline constexpr std::size_t kMaxTable = 256 * 1024;  // bytes
inline constexpr std::size_t kMaxServices = 32;
inline constexpr std::size_t kMaxArguments = 128;    // of one command
inline constexpr std::size_t kMaxEnvironment = 128;  // variables of one service
inline constexpr std::size_t kMaxAfter = kMaxServices;

enum class ProbeKind : std::uint8_t { kNone, kTcp, kHttp };
enum class RestartPolicy : std::uint8_t { kNever, kOnFailure, kAlways };

// A command with its terminating null pointer, as execve wants it.
struct Command {
  const char* argv[kMaxArguments + 1] = {};
  std::size_t size = 0;
};

// All pointers lead into the table's text.
struct ServiceEntry {
  const char* name = nullptr;
  Command command;
  const char* dir = nullptr;
  const char* env[kMaxEnvironment] = {};
  std::size_t env_size = 0;
  std::size_t after[kMaxAfter] = {};  // indexes of earlier services
  std::size_t after_size = 0;
  ProbeKind probe = ProbeKind::kNone;
  std::uint16_t port = 0;
  std::uint64_t ready_ms = 30'000;
  const char* path = nullptr;
  RestartPolicy restart = RestartPolicy::kOnFailure;
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

}  // namespace imgbuild::runtime
