// The parts of [services.NAME].
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "specs/env/spec.h"
#include "specs/env/table_reader.h"

namespace imgbuild::specs {

// Environment, files of it, secrets, user, umask and limits.
void ReadSurroundings(TableReader& table, Service& service);
// `ready` and `live`; the service's port is read already.
void ReadProbes(TableReader& table, Service& service);

// The key "port".
std::optional<std::uint32_t> ReadPort(TableReader& table);
// An environment variable as POSIX names them: upper-case letters, digits and "_".
bool IsVariable(std::string_view name);

}  // namespace imgbuild::specs
