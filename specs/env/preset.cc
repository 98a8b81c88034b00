#include "specs/env/preset.h"

namespace imgbuild::specs {

std::span<const ServicePreset> ServicePresets() {
  static const std::vector<ServicePreset> kPresets = {
      {"jupyterlab", 8888, false, false, {{"jupyterlab"}}},
      {"fasthtml", 5001, true, true, {{"python-fasthtml"}}},
      {"fastapi",
       8000,
       true,
       false,
       {{"fastapi"}, {"uvicorn", "fastapi[standard]", "fastapi[all]", "python-fasthtml"}}},
      {"uvicorn",
       8000,
       true,
       false,
       {{"uvicorn", "fastapi[standard]", "fastapi[all]", "python-fasthtml"}}}};
  return kPresets;
}

const ServicePreset* FindPreset(std::string_view name) {
  for (const ServicePreset& preset : ServicePresets()) {
    if (preset.name == name) return &preset;
  }
  return nullptr;
}

}  // namespace imgbuild::specs
