#include "builder/engine/gpu.h"

#include <fstream>
#include <iterator>
#include <string>

namespace imgbuild::builder {
namespace {

namespace fs = std::filesystem;

// Its key "kind" says so, in JSON or YAML and whatever quotes.
bool IsForGpus(const fs::path& file) {
  std::ifstream stream(file);
  const std::string text{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  return text.find("nvidia.com/gpu") != std::string::npos;
}

}  // namespace

bool HasGpuSpecification(const std::vector<fs::path>& folders) {
  for (const fs::path& folder : folders) {
    std::error_code error;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
      const std::string extension = entry.path().extension();
      const bool specification = extension == ".json" || extension == ".yaml";
      if (specification && IsForGpus(entry.path())) return true;
    }
  }
  return false;
}

}  // namespace imgbuild::builder
