// Tables of services that are shell scripts.
#pragma once

#include <string>

#include <fmt/core.h>

namespace imgbuild::runtime {

// `more` is further lines of the table, each with its newline.
inline std::string Script(const std::string& name, const std::string& script,
                          const std::string& more = "") {
  return fmt::format("service {}\nexec sh\nexec -c\nexec {}\n{}end\n", name, script, more);
}

inline std::string TableOf(const std::string& services) {
  return "imgbuild-services 2\nshell sh\n" + services;
}

// Runs until it is told to stop.
inline constexpr char kStays[] = "echo up; exec sleep 100";

}  // namespace imgbuild::runtime
