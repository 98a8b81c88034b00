// Services by name: what `preset = "..."` stands for.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace imgbuild::specs {

struct ServicePreset {
  std::string_view name;
  std::uint32_t port;  // where the service names none
  bool serves_app;     // `app` and `dir` name an ASGI application
  bool has_page;       // a built-in page where `app` is left out
  // Distributions it runs; each may be had in several ways, the first being what to add:
  // "uvicorn", or "fastapi[standard]", which brings it along.
  std::vector<std::vector<std::string_view>> needs;
};

// jupyterlab, fasthtml, fastapi, uvicorn.
std::span<const ServicePreset> ServicePresets();
// Null if there is none of that name.
const ServicePreset* FindPreset(std::string_view name);

}  // namespace imgbuild::specs
