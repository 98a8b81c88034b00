// Services that need no command: what a preset stands for.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "specs/env/spec.h"

namespace imgbuild::builder {

struct Preset {
  std::string_view name;
  std::uint32_t port;                // where the spec names none
  std::vector<std::string> command;  // {port}, {app}, {dir}, {workdir} are filled in
  std::string_view ready_path;       // HTTP path that answers when it is ready
  std::string_view token;            // variable of a secret that the supervisor makes; or ""
  std::string_view announce;         // shown when ready; {port} is filled in, {token} at start
};

// nullptr where there is none of that name.
const Preset* FindPreset(std::string_view name);

// Where the built-in page lies in images that serve it.
inline constexpr std::string_view kPageDirectory = "/usr/share/imgbuild/page";

// Whether the service is a web preset without an application, which serves the built-in page.
bool ServesBuiltInPage(const specs::Service& service);

}  // namespace imgbuild::builder
