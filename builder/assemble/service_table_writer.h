// Writes the table that the supervisor reads (runtime/service_table.h has the format).
#pragma once

#include <string>
#include <string_view>

#include "specs/env/spec.h"

namespace imgbuild::builder {

// The table of the spec's services, in an order in which each comes after those it names, with
// presets filled in as the spec's reader did. An image without services has a shell alone: `shell`,
// or for "" bash (slim) or python3 (distroless). Throws Error (kUsage) for what the table cannot
// hold: a service without command, an unknown stop signal, more than runtime/service_table.h
// allows.
std::string RenderServiceTable(const specs::Spec& spec, std::string_view shell = "");

}  // namespace imgbuild::builder
