// The CUDA section: what can be said of it without asking an index.
#include <algorithm>

#include <fmt/core.h>

#include "specs/base/text.h"
#include "specs/env/spec_reader.h"

namespace imgbuild::specs {
namespace {

// Extras of the toolkit's package are named like this; which there are is known to the index alone.
bool IsComponentName(std::string_view name) {
  return !name.empty() &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string_view::npos;
}

std::string ReadCudaVersion(TableReader& cuda) {
  std::string version = cuda.String("version").value_or("");
  const std::vector<std::string_view> parts = Split(version, '.');
  const bool numbers = std::all_of(parts.begin(), parts.end(), ParseUnsigned);
  if (!cuda.Has("version")) {
    cuda.Note("version", "cuda.version is missing", "for example version = \"13.0\"");
  } else if (parts.size() < 2 || parts.size() > 3 || !numbers) {
    cuda.Note("version",
              fmt::format("cuda.version is \"{}\", expected two or three numbers such as \"13.0\"",
                          version));
  }
  return version;
}

void CheckCudaComponent(TableReader& cuda, const CudaSection& section, const Placed& component) {
  const std::string& name = component.text;
  if (!IsComponentName(name)) {
    cuda.Note(component.where,
              fmt::format("no CUDA component \"{}\", expected names such as \"toolkit\", "
                          "\"runtime\", \"cudnn\", \"nccl\", \"cublas\"",
                          name));
  }
  if (section.provider == "debian") {
    if (name == "cudnn") {
      cuda.Note(
          component.where,
          "Debian's nvidia-cudnn is only a program that downloads cuDNN when it is installed",
          "leave it out here and add the wheel to python.packages: nvidia-cudnn-cu12, or "
          "nvidia-cudnn-cu11 for CUDA 11, which brings a cuBLAS of its own; or write provider "
          "= \"pypi\"");
    } else if (name != "toolkit") {
      cuda.Note(component.where, fmt::format("Debian has no CUDA component \"{}\"", name),
                "expected \"toolkit\"; single parts come with provider = \"pypi\"");
    }
    return;
  }
  const std::optional<std::uint64_t> major = ParseUnsigned(Split(section.version, '.')[0]);
  if (major && *major < 13 && (name == "toolkit" || name == "nvcc")) {
    cuda.Note(
        component.where,
        fmt::format("\"{}\" asks for nvcc, which the wheels of CUDA {} do not have", name, *major),
        "either version = \"13.0\" or later, or provider = \"debian\"; the libraries alone are "
        "components = [\"runtime\"]");
  }
}

}  // namespace

CudaSection ReadCuda(const TomlValue* table, SpecReading& reading) {
  CudaSection section;
  if (table == nullptr) return section;
  TableReader cuda(*table, "cuda", "cuda", reading);
  section.enabled = cuda.Boolean("enabled").value_or(false);
  section.version = ReadCudaVersion(cuda);
  if (auto provider = cuda.Word("provider", {"pypi", "debian"})) {
    section.provider = *provider == 0 ? "pypi" : "debian";
  }
  std::vector<Placed> components = cuda.Strings("components");
  if (components.empty() && cuda.Has("components")) {
    cuda.Note("components", "cuda.components is empty",
              "leave it out for the whole toolkit; without CUDA, write enabled = false");
  }
  if (components.empty()) components.push_back({"toolkit", reading.sources.Where("cuda")});
  for (const Placed& component : components) {
    std::vector<std::string>& known = section.components;
    if (std::find(known.begin(), known.end(), component.text) != known.end()) continue;
    CheckCudaComponent(cuda, section, component);
    known.push_back(component.text);
  }
  return section;
}

}  // namespace imgbuild::specs
