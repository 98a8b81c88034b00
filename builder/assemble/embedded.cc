#include "builder/assemble/embedded.h"

// Defined by cmake/EmbedFiles.cmake.
#define IMGBUILD_EMBEDDED(identifier)                     \
  extern "C" const char imgbuild_embedded_##identifier[]; \
  extern "C" const char imgbuild_embedded_##identifier##_end[]

IMGBUILD_EMBEDDED(init_amd64);
IMGBUILD_EMBEDDED(init_arm64);
IMGBUILD_EMBEDDED(page_main);
IMGBUILD_EMBEDDED(page_css);
IMGBUILD_EMBEDDED(page_facts);
IMGBUILD_EMBEDDED(page_htmx);
IMGBUILD_EMBEDDED(page_htmx_license);

namespace imgbuild::builder {
namespace {

std::string_view Between(const char* begin, const char* end) {
  return {begin, static_cast<std::size_t>(end - begin)};
}

}  // namespace

std::string_view SupervisorProgram(specs::Architecture architecture) {
  switch (architecture) {
    case specs::Architecture::kAmd64:
      return Between(imgbuild_embedded_init_amd64, imgbuild_embedded_init_amd64_end);
    case specs::Architecture::kArm64:
      return Between(imgbuild_embedded_init_arm64, imgbuild_embedded_init_arm64_end);
  }
  return {};
}

const EmbeddedFile (&PageFiles())[kPageFiles] {
  static const EmbeddedFile kFiles[kPageFiles] = {
      {"htmx.LICENSE",
       Between(imgbuild_embedded_page_htmx_license, imgbuild_embedded_page_htmx_license_end)},
      {"facts.py", Between(imgbuild_embedded_page_facts, imgbuild_embedded_page_facts_end)},
      {"htmx.min.js", Between(imgbuild_embedded_page_htmx, imgbuild_embedded_page_htmx_end)},
      {"main.py", Between(imgbuild_embedded_page_main, imgbuild_embedded_page_main_end)},
      {"page.css", Between(imgbuild_embedded_page_css, imgbuild_embedded_page_css_end)},
  };
  return kFiles;
}

}  // namespace imgbuild::builder
