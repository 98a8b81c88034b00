#include <fmt/core.h>

#include "layers/io/file.h"
#include "layers/store/sealed_text.h"
#include "layers/store/store.h"

namespace imgbuild::layers {
namespace {

namespace fs = std::filesystem;

// Nothing where the content has the digest that the file is named after.
std::string CheckContent(const fs::path& path) {
  const MappedFile file(path);
  const specs::Sha256 found = specs::HashOf(file.bytes());
  if (found.Hex() == path.filename()) return "";
  return fmt::format("its content has the digest {}", found.Hex());
}

std::string CheckSealed(const fs::path& path) {
  return Unseal(ReadFile(path)) ? "" : "its content does not match its own digest";
}

void CheckFolder(const fs::path& folder, std::string (*check)(const fs::path&),
                 std::vector<StoreFault>& faults) {
  std::error_code error;
  for (const auto& entry : fs::recursive_directory_iterator(folder, error)) {
    if (!entry.is_regular_file()) continue;
    std::string reason = check(entry.path());
    if (reason.empty()) continue;
    fs::remove(entry.path());
    faults.push_back({entry.path(), std::move(reason)});
  }
}

}  // namespace

std::vector<StoreFault> Store::Verify() {
  std::vector<StoreFault> faults;
  CheckFolder(paths_.Downloads(), CheckContent, faults);
  CheckFolder(paths_.Frames(), CheckContent, faults);
  CheckFolder(paths_.Blobs(), CheckContent, faults);
  CheckFolder(paths_.Packages(), CheckSealed, faults);
  CheckFolder(paths_.Actions(), CheckSealed, faults);
  return faults;
}

}  // namespace imgbuild::layers
