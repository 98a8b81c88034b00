// On which of this machine's addresses services listen, since they have its network.
#pragma once

#include <string>
#include <string_view>

namespace imgbuild::builder {

// Every address of the machine, as images have it: an engine publishes what it wants of that.
inline constexpr std::string_view kAnyAddress = "0.0.0.0";
inline constexpr std::string_view kLoopback = "127.0.0.1";

// A service table (runtime/service_table.h) whose commands and variables name `address` wherever
// they name any address: "--host" "0.0.0.0", "OLLAMA_HOST=0.0.0.0:11434".
std::string WithAddress(std::string_view table, std::string_view address);

}  // namespace imgbuild::builder
