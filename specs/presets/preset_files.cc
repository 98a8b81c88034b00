#include "specs/presets/preset_files.h"

// Defined by cmake/EmbedFiles.cmake.
#define IMGBUILD_PRESET(name)                              \
  extern "C" const char imgbuild_embedded_preset_##name[]; \
  extern "C" const char imgbuild_embedded_preset_##name##_end[]

IMGBUILD_PRESET(jupyterlab);
IMGBUILD_PRESET(fasthtml);
IMGBUILD_PRESET(fastapi);
IMGBUILD_PRESET(uvicorn);
IMGBUILD_PRESET(streamlit);
IMGBUILD_PRESET(gradio);
IMGBUILD_PRESET(ollama);

namespace imgbuild::specs {
namespace {

std::string_view Between(const char* begin, const char* end) {
  return {begin, static_cast<std::size_t>(end - begin)};
}

}  // namespace

#define IMGBUILD_FILE(name) \
  { #name, Between(imgbuild_embedded_preset_##name, imgbuild_embedded_preset_##name##_end) }

std::span<const PresetFile> PresetFiles() {
  static const PresetFile kFiles[] = {
      IMGBUILD_FILE(jupyterlab), IMGBUILD_FILE(fasthtml),  IMGBUILD_FILE(fastapi),
      IMGBUILD_FILE(uvicorn),    IMGBUILD_FILE(streamlit), IMGBUILD_FILE(gradio),
      IMGBUILD_FILE(ollama),
  };
  return kFiles;
}

}  // namespace imgbuild::specs
